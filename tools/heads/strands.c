#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Strands of hair: growing over a distance field, styling, light in their volume and their picture. Lengths in centimetres. */

typedef float v3[3];

static float clamp01(float x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
static float step(float a, float b, float x) { float t = clamp01((x - a) / (b - a)); return t * t * (3 - 2 * t); }
static float dot(const float *a, const float *b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
static void unit(float *a) { float l = 1 / sqrtf(dot(a, a) + 1e-12f); a[0] *= l; a[1] *= l; a[2] *= l; }
static void cross(const float *a, const float *b, float *c)
{
    c[0] = a[1] * b[2] - a[2] * b[1]; c[1] = a[2] * b[0] - a[0] * b[2]; c[2] = a[0] * b[1] - a[1] * b[0];
}
static uint32_t hash(uint32_t x) { x ^= x >> 16; x *= 0x7feb352du; x ^= x >> 15; x *= 0x846ca68bu; return x ^ (x >> 16); }

/* A scalar or vector field on a regular grid: n cells by axis (z fastest), `low` corner and cell size. */
typedef struct { int n[3]; float low[3], size; const float *values; } grid;

static const float *cell(const grid *g, const float *p, int channels, float *w)
{
    int i[3];
    for (int a = 0; a < 3; a++) {
        float x = (p[a] - g->low[a]) / g->size;
        x = fminf(fmaxf(x, 0), g->n[a] - 1.001f);
        i[a] = (int)x;
        w[a] = x - i[a];
    }
    return g->values + (((long)i[0] * g->n[1] + i[1]) * g->n[2] + i[2]) * channels;
}

static void look(const grid *g, const float *p, int channels, float *out)
{
    float w[3];
    const float *c = cell(g, p, channels, w);
    long sy = (long)g->n[2] * channels, sx = sy * g->n[1];
    for (int k = 0; k < channels; k++, c++) {
        float a = c[0] + w[2] * (c[channels] - c[0]), b = c[sy] + w[2] * (c[sy + channels] - c[sy]);
        float d = c[sx] + w[2] * (c[sx + channels] - c[sx]), e = c[sx + sy] + w[2] * (c[sx + sy + channels] - c[sx + sy]);
        a += w[1] * (b - a), d += w[1] * (e - d);
        out[k] = a + w[0] * (d - a);
    }
}

/* Distance and its gradient (channels: distance, gradient). */
static float away(const grid *g, const float *p, float *normal)
{
    float q[4];
    look(g, p, 4, q);
    memcpy(normal, q + 1, 12);
    unit(normal);
    return q[0];
}

/* What a root says of its strand, in this order. */
enum { LENGTH, LIFT, LAYER, WEIGHT, FACE, BEHIND, TIED, STIFF, ROOT };

/* Grows n strands of k points. root [n,3], direction [n,3] (tangent), about [n,ROOT]; tie: the point where hair is tied, and the tail's width. */
void grow(const float *root, const float *direction, const float *about, int n, int k, const int *cells, const float *low, float size, const float *field,
          const float *tie, float *out)
{
    grid g = {{cells[0], cells[1], cells[2]}, {low[0], low[1], low[2]}, size, field};
    for (int i = 0; i < n; i++) {
        const float *r = about + ROOT * i;
        float x[3], d[3], m[3], *o = out + 3l * k * i;
        memcpy(x, root + 3 * i, 12);
        memcpy(o, x, 12);
        away(&g, x, m);
        for (int a = 0; a < 3; a++) d[a] = direction[3 * i + a] + r[LIFT] * m[a];
        unit(d);
        float h = r[LENGTH] / (k - 1), in_tail = 0;
        for (int j = 1; j < k; j++) {
            float s = h * j, bend = r[WEIGHT] * h * step(0, r[STIFF], s), t[3], y[3];
            d[1] -= bend;
            if (r[TIED] > 0.01f) {
                for (int a = 0; a < 3; a++) t[a] = tie[a] - x[a];
                float far = sqrtf(dot(t, t));
                in_tail = fmaxf(in_tail, step(2.6f, 1.0f, far));
                unit(t);
                float w = r[TIED] * (1 - in_tail) * clamp01(h * 0.9f);
                for (int a = 0; a < 3; a++) d[a] += w * (t[a] - d[a]);
                /* the tail falls first backwards, then down */
                d[1] -= in_tail * h * 0.35f * r[TIED];
                d[2] -= in_tail * h * 0.25f * r[TIED] * step(9, 0, s);
            }
            /* hair that is not a fringe leaves the face free; hair behind the ears goes back before it gets there */
            float side = tanhf(2 * x[0]);
            float free_ = r[FACE] * step(-2.5f, 1.0f, x[2]) * step(9.2f, 6.5f, x[1]) * step(6.9f, 5.2f, fabsf(x[0]));
            d[0] += free_ * h * 0.55f * side;
            d[2] -= free_ * h * 0.30f;
            float ear = r[BEHIND] * step(9.5f, 5.0f, x[1]) * step(-9.0f, -6.5f, x[2]) * step(-12, -3, x[1]);
            d[2] -= ear * h * 0.55f;
            unit(d);
            for (int a = 0; a < 3; a++) y[a] = x[a] + h * d[a];
            float layer = r[LAYER] * step(-0.2f, 2.5f, s) + 0.03f;
            layer *= 1 - 0.8f * r[TIED] * (1 - in_tail);
            float z = away(&g, y, m);
            if (z < layer) {
                for (int a = 0; a < 3; a++) y[a] += (layer - z) * m[a];
                float into = dot(d, m);
                if (into < 0)
                    for (int a = 0; a < 3; a++) d[a] -= 0.9f * into * m[a];
            }
            memcpy(o + 3 * j, y, 12);
            memcpy(x, y, 12);
        }
    }
}

static float wave_noise(float x, uint32_t seed)
{
    float i = floorf(x), t = x - i;
    float a = hash(seed + (int)i * 7919) * (2.f / 4294967295.f) - 1, b = hash(seed + ((int)i + 1) * 7919) * (2.f / 4294967295.f) - 1;
    t = t * t * (3 - 2 * t);
    return a + t * (b - a);
}

/* Styles grown strands [n,k,3] to [n,m,3]: pulls each to its clump's centre (an index), waves, curls and frizzes them.
 * shape [n,6]: clump, wave height, curl radius, turns a centimetre, frizz, length. */
void style(const float *grown, const int *clump, const float *shape, int n, int k, int m, const float *centre, float *out)
{
    for (int i = 0; i < n; i++) {
        const float *s = shape + 6 * i, *own = grown + 3l * k * i, *lead = grown + 3l * k * clump[i];
        uint32_t me = hash(i + 1), us = hash(clump[i] + 77777);
        float phase = (us & 65535) * (6.2831853f / 65535) + 0.9f * ((me & 255) / 255.f - 0.5f);
        float tight = 0.75f + 0.5f * ((us >> 16 & 255) / 255.f);
        for (int j = 0; j < m; j++) {
            float t = (float)j / (m - 1), at = t * (k - 1), p[3], d[3], b[3], c[3], up[3];
            int u = (int)at;
            if (u > k - 2) u = k - 2;
            float w = at - u, pull = s[0] * step(0, 0.45f, t) * (1 - 0.35f * t * t * (1 - s[0])), apart = 0;
            for (int a = 0; a < 3; a++) {
                float gap = lead[3 * u + a] - own[3 * u + a];
                apart += gap * gap;
            }
            pull /= 1 + apart * apart * 0.10f; /* a clump does not reach over a parting */
            for (int a = 0; a < 3; a++) {
                float x = own[3 * u + a] + w * (own[3 * u + 3 + a] - own[3 * u + a]), y = lead[3 * u + a] + w * (lead[3 * u + 3 + a] - lead[3 * u + a]);
                p[a] = x + pull * (y - x);
                d[a] = lead[3 * u + 3 + a] - lead[3 * u + a] + 1e-6f;
                up[a] = p[a] - centre[a];
            }
            unit(d), unit(up);
            cross(d, up, b);
            unit(b);
            cross(b, d, c);
            float along = t * s[5], in = step(0, 2.2f, along);
            float wave = s[1] * in * sinf(along * 1.15f * tight + phase), roll = phase + along * s[3] * tight;
            float turn = s[2] * step(0, 0.8f, along), fx = s[4] * step(0, 1.5f, along);
            float side = wave + turn * cosf(roll) + fx * wave_noise(along * 0.9f, me) + 0.35f * fx * wave_noise(along * 2.7f, me + 5);
            float rise = turn * (0.6f + sinf(roll)) + 0.35f * s[1] * in * cosf(along * 1.15f * tight + phase) + fx * (0.25f + wave_noise(along * 0.9f, me + 9));
            float *o = out + 3 * ((long)m * i + j);
            for (int a = 0; a < 3; a++) o[a] = p[a] + side * b[a] + rise * c[a];
        }
    }
}

/* Moves points [n,3] in place by a field of displacements. */
void warp(float *p, long n, const int *cells, const float *low, float size, const float *field)
{
    grid g = {{cells[0], cells[1], cells[2]}, {low[0], low[1], low[2]}, size, field};
    for (long i = 0; i < n; i++) {
        float d[3];
        look(&g, p + 3 * i, 3, d);
        for (int a = 0; a < 3; a++) p[3 * i + a] += d[a];
    }
}

/* Hair as a density on a grid: length times width of the strands in each cell, over the cell's volume (1/cm). */
void density(const float *p, const float *width, int n, int m, const int *cells, const float *low, float size, float *out)
{
    long sy = cells[2], sx = sy * cells[1];
    for (int i = 0; i < n; i++)
        for (int j = 1; j < m; j++) {
            const float *a = p + 3 * ((long)m * i + j - 1), *b = a + 3;
            float w = width[i], d[3] = {b[0] - a[0], b[1] - a[1], b[2] - a[2]};
            float amount = w * sqrtf(dot(d, d)) / (size * size * size);
            if (amount <= 0) continue;
            int at[3], ok = 1;
            float f[3];
            for (int c = 0; c < 3; c++) {
                float x = ((a[c] + b[c]) * 0.5f - low[c]) / size;
                at[c] = (int)x;
                f[c] = x - at[c];
                if (x < 0 || at[c] >= cells[c] - 1) ok = 0;
            }
            if (!ok) continue;
            float *o = out + at[0] * sx + at[1] * sy + at[2];
            for (int c = 0; c < 8; c++)
                o[(c >> 2) * sx + (c >> 1 & 1) * sy + (c & 1)] +=
                    amount * (c & 4 ? f[0] : 1 - f[0]) * (c & 2 ? f[1] : 1 - f[1]) * (c & 1 ? f[2] : 1 - f[2]);
        }
}

/* Optical depth from every node of a grid towards a direction, in steps of a cell. */
void march(const float *values, const int *cells, float size, const float *direction, int steps, float *out)
{
    grid g = {{cells[0], cells[1], cells[2]}, {0, 0, 0}, 1, values};
    long k = 0;
    for (int x = 0; x < cells[0]; x++)
        for (int y = 0; y < cells[1]; y++)
            for (int z = 0; z < cells[2]; z++, k++) {
                float sum = 0, v;
                for (int s = 1; s <= steps; s++) {
                    float q[3] = {x + s * direction[0], y + s * direction[1], z + s * direction[2]};
                    if (q[0] < 0 || q[1] < 0 || q[2] < 0 || q[0] > cells[0] - 1 || q[1] > cells[1] - 1 || q[2] > cells[2] - 1) break;
                    look(&g, q, 1, &v);
                    sum += v;
                }
                out[k] = sum * size;
            }
}

/* The light on every point of strands p [n,m,3]: out [n,m,3]. volume: a grid of (optical depth to the key, open share of the surroundings).
 * light: key direction 3, key colour 3, sky 3, ground 3, rim colour 3, eye 3. strand [n,5]: linear colour, tip mix, gloss. tip: linear colour. */
void shade(const float *p, int n, int m, const int *cells, const float *low, float size, const float *volume, const float *light, const float *strand,
           const float *tip, const float *centre, float *out)
{
    grid g = {{cells[0], cells[1], cells[2]}, {low[0], low[1], low[2]}, size, volume};
    const float *key = light, *key_c = light + 3, *sky = light + 6, *ground = light + 9, *rim = light + 12, *eye = light + 15;
    for (int i = 0; i < n; i++) {
        const float *s = strand + 5 * i;
        float glint = 0.55f + 0.9f * (hash(i + 31) & 255) / 255.f;
        for (int j = 0; j < m; j++) {
            const float *x = p + 3 * ((long)m * i + j), *a = j ? x - 3 : x, *b = j < m - 1 ? x + 3 : x;
            float t[3], v[3], o[3], half[3], q[2], f = (float)j / (m - 1);
            for (int c = 0; c < 3; c++) t[c] = b[c] - a[c], v[c] = eye[c] - x[c], o[c] = x[c] - centre[c];
            unit(t), unit(v), unit(o);
            look(&g, x, 2, q);
            for (int c = 0; c < 3; c++) half[c] = key[c] + v[c];
            unit(half);
            float out_t = dot(o, t), n_[3];
            for (int c = 0; c < 3; c++) n_[c] = o[c] - out_t * t[c];
            unit(n_);
            float shadow = expf(-q[0]), tl = dot(t, key), th = dot(t, half), facing = dot(n_, key);
            float diffuse = sqrtf(fmaxf(1 - tl * tl, 0)) * clamp01(0.45f + 0.55f * facing);
            float r = th - 0.07f, tt = th + 0.11f;
            float white = 0.075f * s[4] * expf(-r * r / 0.0050f) * clamp01(0.4f + facing);
            float second = 0.95f * glint * expf(-tt * tt / 0.030f) * clamp01(0.5f + facing);
            float through = powf(clamp01(-dot(v, key)), 6);
            float back = powf(clamp01(1 - fabsf(dot(n_, v))), 2.0f) * q[1], up = 0.5f + 0.5f * n_[1], frontal = 0.6f + 0.4f * clamp01(n_[2]);
            for (int c = 0; c < 3; c++) {
                float colour = s[c] + clamp01(s[3] * f * f) * (tip[c] - s[c]), tint = sqrtf(colour);
                float round = ground[c] + up * (sky[c] - ground[c]);
                float lit = key_c[c] * shadow * (colour * (diffuse * 1.25f + 0.5f * through) + white + second * colour * (0.3f + 0.7f * tint));
                lit += round * q[1] * frontal * (colour * 1.15f + 0.014f * s[4]);
                lit += rim[c] * back * (0.25f * colour + 0.03f);
                out[3 * ((long)m * i + j) + c] = lit;
            }
        }
    }
}

/* Draws strands into side x side samples with a depth test against each other and `wall` (depth of what else there is, [side/2, side/2]).
 * screen [n,m,3]: x, y in samples, depth; colour [n,m,3]; width [n] in samples at the root, cover [n] in [0,1], kind [n]. In place: depth, picture, label. */
void draw(const float *screen, const float *colour, const float *width, const float *cover, const uint8_t *kind, int n, int m, int side, const float *wall,
          float *depth, float *picture, uint8_t *label)
{
    for (int i = 0; i < n; i++) {
        if (width[i] <= 0.02f || cover[i] <= 0.01f) continue;
        uint32_t me = hash(i * 2654435761u + 11);
        for (int j = 1; j < m; j++) {
            const float *a = screen + 3 * ((long)m * i + j - 1), *b = a + 3, *ca = colour + (a - screen), *cb = ca + 3;
            float dx = b[0] - a[0], dy = b[1] - a[1], far = fmaxf(fabsf(dx), fabsf(dy));
            int count = (int)ceilf(far * 1.02f) + 1;
            if (count > 400) continue;
            float f = (j - 0.5f) / (m - 1), wide = width[i] * (f < 0.7f ? 1 : 1 - 0.8f * (f - 0.7f) / 0.3f);
            int steep = fabsf(dy) > fabsf(dx);
            float len = far / sqrtf(dx * dx + dy * dy + 1e-9f), span = wide / fmaxf(len, 0.5f);
            for (int s = 0; s < count; s++) {
                float t = (s + 0.5f) / count, x = a[0] + t * dx, y = a[1] + t * dy, z = a[2] + t * (b[2] - a[2]);
                float from = (steep ? x : y) - span * 0.5f;
                int lo = (int)ceilf(from - 0.5f), hi = (int)ceilf(from + span - 0.5f);
                if (lo >= hi) continue;
                for (int u = lo; u < hi; u++) {
                    int px = steep ? u : (int)x, py = steep ? (int)y : u;
                    if (px < 0 || py < 0 || px >= side || py >= side) continue;
                    if (cover[i] < 1 && (hash(me + px * 1973u + py * 9277u) & 65535) > cover[i] * 65535) continue;
                    long k = (long)py * side + px;
                    if (z >= depth[k] || z > wall[(long)(py >> 1) * (side >> 1) + (px >> 1)]) continue;
                    depth[k] = z;
                    label[k] = kind[i];
                    for (int c = 0; c < 3; c++) picture[3 * k + c] = ca[c] + t * (cb[c] - ca[c]);
                }
            }
        }
    }
}
