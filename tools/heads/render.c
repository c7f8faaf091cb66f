#include <math.h>
#include <stdint.h>

/* What the pictures of heads need per pixel: shadow maps and their look-up, diffusion of light in skin, noise in space, contact shadows. */

static inline float clampf(float x, float a, float b) { return x < a ? a : x > b ? b : x; }

/* Points [n,3] to a map's x and y in pixels and its depth: rows of `axes` [9] about `centre` [3], times `scale`, the middle at `half`. */
void project(const float *p, int n, const float *axes, const float *centre, float scale, float half, float *out)
{
    for (int i = 0; i < n; i++) {
        float x = p[3 * i] - centre[0], y = p[3 * i + 1] - centre[1], z = p[3 * i + 2] - centre[2];
        out[3 * i] = (axes[0] * x + axes[1] * y + axes[2] * z) * scale + half;
        out[3 * i + 1] = (axes[3] * x + axes[4] * y + axes[5] * z) * scale + half;
        out[3 * i + 2] = axes[6] * x + axes[7] * y + axes[8] * z;
    }
}

/* Depth only: v [.,3] is x, y in pixels and depth, smaller nearer the light; depth [s*s] is filled with 1e9 first. */
void depth_map(const float *v, const int *f, int count, int s, float *depth)
{
    for (int i = 0; i < s * s; i++) depth[i] = 1e9f;
    for (int t = 0; t < count; t++) {
        const float *a = v + 3 * f[3 * t], *b = v + 3 * f[3 * t + 1], *c = v + 3 * f[3 * t + 2];
        int x0 = (int)ceilf(fminf(a[0], fminf(b[0], c[0])) - 0.5f), x1 = (int)floorf(fmaxf(a[0], fmaxf(b[0], c[0])) - 0.5f);
        int y0 = (int)ceilf(fminf(a[1], fminf(b[1], c[1])) - 0.5f), y1 = (int)floorf(fmaxf(a[1], fmaxf(b[1], c[1])) - 0.5f);
        x0 = x0 < 0 ? 0 : x0, y0 = y0 < 0 ? 0 : y0, x1 = x1 >= s ? s - 1 : x1, y1 = y1 >= s ? s - 1 : y1;
        float d = (b[1] - c[1]) * (a[0] - c[0]) + (c[0] - b[0]) * (a[1] - c[1]);
        if (x1 < x0 || y1 < y0 || fabsf(d) < 1e-9f) continue;
        d = 1.f / d;
        for (int y = y0; y <= y1; y++)
            for (int x = x0; x <= x1; x++) {
                float px = x + 0.5f - c[0], py = y + 0.5f - c[1];
                float l0 = ((b[1] - c[1]) * px + (c[0] - b[0]) * py) * d, l1 = ((c[1] - a[1]) * px + (a[0] - c[0]) * py) * d;
                if (l0 < -1e-4f || l1 < -1e-4f || l0 + l1 > 1.0002f) continue;
                float z = l0 * a[2] + l1 * b[2] + (1 - l0 - l1) * c[2];
                if (z < depth[y * s + x]) depth[y * s + x] = z;
            }
    }
}

/* Spreads points (x, y in pixels, depth) of weight w (pixels' areas) over their four pixels: how much there is and how deep on the mean. */
void veil_map(const float *v, const float *w, int count, int s, float *amount, float *deep)
{
    for (int i = 0; i < s * s; i++) amount[i] = deep[i] = 0;
    for (int i = 0; i < count; i++) {
        float x = v[3 * i] - 0.5f, y = v[3 * i + 1] - 0.5f;
        int xi = (int)floorf(x), yi = (int)floorf(y);
        if (xi < 0 || yi < 0 || xi + 1 >= s || yi + 1 >= s) continue;
        float fx = x - xi, fy = y - yi;
        for (int k = 0; k < 4; k++) {
            int at = (yi + (k >> 1)) * s + xi + (k & 1);
            float a = w[i] * ((k & 1) ? fx : 1 - fx) * ((k >> 1) ? fy : 1 - fy);
            amount[at] += a;
            deep[at] += a * v[3 * i + 2];
        }
    }
    for (int i = 0; i < s * s; i++) deep[i] = amount[i] > 1e-6f ? deep[i] / amount[i] : 1e9f;
}

/* Share of a disc of `blur` pixels about each point (x, y, depth) through which light comes; what lies less than `soft` before a point shades in part. */
void shadow_look(const float *depth, const float *amount, const float *deep, int s, const float *points, int count, float blur, float soft, int taps, float *out)
{
    float dx[64], dy[64];
    for (int k = 0; k < taps; k++) {
        float r = sqrtf((k + 0.5f) / taps) * blur, a = 2.399963f * k;
        dx[k] = r * cosf(a), dy[k] = r * sinf(a);
    }
    for (int i = 0; i < count; i++) {
        float sum = 0, z = points[3 * i + 2];
        for (int k = 0; k < taps; k++) {
            float x = points[3 * i] + dx[k] - 0.5f, y = points[3 * i + 1] + dy[k] - 0.5f;
            x = clampf(x, 0, s - 1.001f), y = clampf(y, 0, s - 1.001f);
            int xi = (int)x, yi = (int)y;
            float fx = x - xi, fy = y - yi;
            const float *d = depth + yi * s + xi;
            float lit[4], near[4] = {d[0], d[1], d[s], d[s + 1]};
            for (int c = 0; c < 4; c++) {
                float t = clampf((z - near[c]) / soft, 0, 1);
                lit[c] = 1 - t * t * (3 - 2 * t);
            }
            if (amount)
                for (int c = 0; c < 4; c++) {
                    int at = (yi + (c >> 1)) * s + xi + (c & 1);
                    if (amount[at] > 0) lit[c] *= expf(-amount[at] * clampf((z - deep[at]) / 0.8f + 0.3f, 0, 1));
                }
            sum += (lit[0] * (1 - fx) + lit[1] * fx) * (1 - fy) + (lit[2] * (1 - fx) + lit[3] * fx) * fy;
        }
        out[i] = sum / taps;
    }
}

/* Gauss filter of light [s,s,3] over the pixels with weight > 0, by channel's sigma in pixels, that does not cross steps of depth. `scratch` as light. */
void diffuse(float *light, const float *weight, const float *depth, int s, const float *sigma, float tolerance, float *scratch)
{
    int radius = (int)ceilf(2.4f * fmaxf(sigma[0], fmaxf(sigma[1], sigma[2])));
    if (radius > 40) radius = 40;
    float g[3][41];
    for (int c = 0; c < 3; c++)
        for (int k = 0; k <= radius; k++) g[c][k] = expf(-0.5f * k * k / fmaxf(sigma[c] * sigma[c], 1e-4f));
    float inverse = 1.f / (tolerance * tolerance);
    for (int pass = 0; pass < 2; pass++) {
        const float *from = pass ? scratch : light;
        float *to = pass ? light : scratch;
        int step = pass ? s : 1;
        for (int y = 0; y < s; y++)
            for (int x = 0; x < s; x++) {
                int at = y * s + x, along = pass ? y : x;
                if (weight[at] <= 0) {
                    for (int c = 0; c < 3; c++) to[3 * at + c] = from[3 * at + c];
                    continue;
                }
                float sum[3] = {0, 0, 0}, total[3] = {1e-9f, 1e-9f, 1e-9f};
                int a = -radius < -along ? -along : -radius, b = along + radius >= s ? s - 1 - along : radius;
                for (int k = a; k <= b; k++) {
                    int j = at + k * step;
                    float dz = depth[j] - depth[at];
                    float w = weight[j] / (1 + dz * dz * inverse * 4);
                    if (w < 0.02f) continue;
                    for (int c = 0; c < 3; c++) {
                        float v = w * g[c][k < 0 ? -k : k];
                        sum[c] += v * from[3 * j + c];
                        total[c] += v;
                    }
                }
                for (int c = 0; c < 3; c++) to[3 * at + c] = sum[c] / total[c];
            }
    }
}

static inline uint32_t hash3(int x, int y, int z)
{
    uint32_t h = (uint32_t)x * 0x8da6b343u ^ (uint32_t)y * 0xd8163841u ^ (uint32_t)z * 0xcb1ab31fu;
    h ^= h >> 15, h *= 0x2c1b3c6du, h ^= h >> 12, h *= 0x297a2d39u, h ^= h >> 15;
    return h;
}

static float smooth_noise(float x, float y, float z)
{
    int xi = (int)floorf(x), yi = (int)floorf(y), zi = (int)floorf(z);
    float f[3] = {x - xi, y - yi, z - zi}, sum = 0;
    for (int k = 0; k < 8; k++) {
        uint32_t h = hash3(xi + (k & 1), yi + (k >> 1 & 1), zi + (k >> 2));
        float dx = f[0] - (k & 1), dy = f[1] - (k >> 1 & 1), dz = f[2] - (k >> 2);
        float gx = (h & 1023) / 511.5f - 1, gy = (h >> 10 & 1023) / 511.5f - 1, gz = (h >> 20 & 1023) / 511.5f - 1;
        float ax = 1 - fabsf(dx), ay = 1 - fabsf(dy), az = 1 - fabsf(dz);
        ax = ax * ax * (3 - 2 * ax), ay = ay * ay * (3 - 2 * ay), az = az * az * (3 - 2 * az);
        sum += ax * ay * az * (gx * dx + gy * dy + gz * dz);
    }
    return sum;
}

/* Gradient noise at points [n,3] times `scale`, of `octaves` that halve in size and shrink by `gain`; deviation about 2/3. */
void noise(const float *p, int n, const float *scale, int octaves, float gain, float *out)
{
    for (int i = 0; i < n; i++) {
        float x = p[3 * i] * scale[0], y = p[3 * i + 1] * scale[1], z = p[3 * i + 2] * scale[2], sum = 0, a = 1, power = 0;
        for (int k = 0; k < octaves; k++) {
            sum += a * smooth_noise(x, y, z);
            power += a * a;
            a *= gain, x = 2 * x + 17.3f, y = 2 * y - 9.1f, z = 2 * z + 4.7f;
        }
        out[i] = sum * 3.6f / sqrtf(power);
    }
}

/* Distance of points [n,3] times `scale` to the nearest of points scattered one a cell, and that one's own number in [0,1). */
void cells(const float *p, int n, float scale, float *distance, float *number)
{
    for (int i = 0; i < n; i++) {
        float x = p[3 * i] * scale, y = p[3 * i + 1] * scale, z = p[3 * i + 2] * scale, best = 9;
        int xi = (int)floorf(x), yi = (int)floorf(y), zi = (int)floorf(z);
        for (int k = 0; k < 27; k++) {
            int cx = xi + k % 3 - 1, cy = yi + k / 3 % 3 - 1, cz = zi + k / 9 - 1;
            uint32_t h = hash3(cx, cy, cz);
            float dx = cx + (h & 1023) / 1024.f - x, dy = cy + (h >> 10 & 1023) / 1024.f - y, dz = cz + (h >> 20 & 1023) / 1024.f - z;
            float d = dx * dx + dy * dy + dz * dz;
            if (d < best) best = d, number[i] = (hash3(cx + 91, cy - 7, cz + 13) & 0xffff) / 65536.f;
        }
        distance[i] = sqrtf(best);
    }
}

/* Contact shadows: how open the half sphere over each listed pixel is, in the picture. position [s,s,3] and normal [s,s,3] in centimetres, camera axes
 * (z to the viewer); position z < -1e8: nothing there. reach: centimetres, scale: pixels a centimetre. */
void contact(const float *position, const float *normal, const int *at, int count, int s, float reach, float scale, float *out)
{
    enum { RAYS = 12, STEPS = 4 };
    for (int i = 0; i < count; i++) {
        int x = at[i] % s, y = at[i] / s;
        const float *p = position + 3 * at[i], *n = normal + 3 * at[i];
        float closed = 0;
        for (int r = 0; r < RAYS; r++) {
            float angle = 6.2831853f * (r + 0.5f) / RAYS, c = cosf(angle), q = sinf(angle), worst = 0;
            for (int k = 1; k <= STEPS; k++) {
                float far = reach * scale * k / STEPS;
                int u = x + (int)lrintf(c * far), v = y - (int)lrintf(q * far);
                if (u < 0 || v < 0 || u >= s || v >= s) break;
                const float *o = position + 3 * (v * s + u);
                if (o[2] < -1e8f) continue;
                float d[3] = {o[0] - p[0], o[1] - p[1], o[2] - p[2]};
                float l2 = d[0] * d[0] + d[1] * d[1] + d[2] * d[2] + 1e-6f, l = sqrtf(l2);
                float rise = (d[0] * n[0] + d[1] * n[1] + d[2] * n[2]) / l - 0.12f;
                float fade = clampf(1 - l2 / (4 * reach * reach), 0, 1);
                if (rise * fade > worst) worst = rise * fade;
            }
            closed += worst;
        }
        out[i] = clampf(1 - 1.2f * closed / RAYS, 0, 1);
    }
}
