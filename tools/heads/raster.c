#include <math.h>

/* Z-buffer rasteriser. v: screen x, y in pixels and depth (smaller is nearer), f: triangles, out per pixel: depth, triangle (-1: none)
 * and the first two barycentric coordinates. */
void raster(const float *v, const int *f, int count, int w, int h, float *depth, int *triangle, float *bary)
{
    for (int i = 0; i < w * h; i++) {
        depth[i] = 1e9f;
        triangle[i] = -1;
    }
    for (int t = 0; t < count; t++) {
        const float *a = v + 3 * f[3 * t], *b = v + 3 * f[3 * t + 1], *c = v + 3 * f[3 * t + 2];
        int x0 = (int)ceilf(fminf(a[0], fminf(b[0], c[0])) - 0.5f), x1 = (int)floorf(fmaxf(a[0], fmaxf(b[0], c[0])) - 0.5f);
        int y0 = (int)ceilf(fminf(a[1], fminf(b[1], c[1])) - 0.5f), y1 = (int)floorf(fmaxf(a[1], fmaxf(b[1], c[1])) - 0.5f);
        if (x0 < 0) x0 = 0;
        if (y0 < 0) y0 = 0;
        if (x1 >= w) x1 = w - 1;
        if (y1 >= h) y1 = h - 1;
        float d = (b[1] - c[1]) * (a[0] - c[0]) + (c[0] - b[0]) * (a[1] - c[1]);
        if (fabsf(d) < 1e-9f) continue;
        d = 1.f / d;
        for (int y = y0; y <= y1; y++)
            for (int x = x0; x <= x1; x++) {
                float px = x + 0.5f - c[0], py = y + 0.5f - c[1];
                float l0 = ((b[1] - c[1]) * px + (c[0] - b[0]) * py) * d;
                float l1 = ((c[1] - a[1]) * px + (a[0] - c[0]) * py) * d;
                float l2 = 1 - l0 - l1;
                if (l0 < -1e-4f || l1 < -1e-4f || l2 < -1e-4f) continue;
                float z = l0 * a[2] + l1 * b[2] + l2 * c[2];
                int k = y * w + x;
                if (z < depth[k]) {
                    depth[k] = z;
                    triangle[k] = t;
                    bary[2 * k] = l0;
                    bary[2 * k + 1] = l1;
                }
            }
    }
}

/* Unit vertex normals, area weighted, of triangles f over positions v [n,3]. */
void normals(const float *v, const int *f, int count, int n, float *out)
{
    for (int i = 0; i < 3 * n; i++) out[i] = 0;
    for (int t = 0; t < count; t++) {
        const int *i = f + 3 * t;
        const float *a = v + 3 * i[0], *b = v + 3 * i[1], *c = v + 3 * i[2];
        float e[3] = {b[0] - a[0], b[1] - a[1], b[2] - a[2]}, g[3] = {c[0] - a[0], c[1] - a[1], c[2] - a[2]};
        float m[3] = {e[1] * g[2] - e[2] * g[1], e[2] * g[0] - e[0] * g[2], e[0] * g[1] - e[1] * g[0]};
        for (int k = 0; k < 3; k++)
            for (int j = 0; j < 3; j++) out[3 * i[k] + j] += m[j];
    }
    for (int i = 0; i < n; i++) {
        float *o = out + 3 * i, l = sqrtf(o[0] * o[0] + o[1] * o[1] + o[2] * o[2]);
        l = 1.f / fmaxf(l, 1e-9f);
        for (int j = 0; j < 3; j++) o[j] *= l;
    }
}

/* Vertex values a [n,channels] at the `count` pixels `at`: out [channels,count]. */
void blend(const float *a, int channels, const int *f, const int *at, int count, const int *triangle, const float *bary, float *out)
{
    for (int i = 0; i < count; i++) {
        const int *t = f + 3 * triangle[at[i]];
        float l0 = bary[2 * at[i]], l1 = bary[2 * at[i] + 1], l2 = 1 - l0 - l1;
        const float *p = a + (long)channels * t[0], *q = a + (long)channels * t[1], *r = a + (long)channels * t[2];
        for (int k = 0; k < channels; k++) out[(long)k * count + i] = l0 * p[k] + l1 * q[k] + l2 * r[k];
    }
}
