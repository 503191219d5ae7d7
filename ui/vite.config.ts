import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const control = process.env.NORIA_URL ?? 'http://127.0.0.1:8400';
const forward = { target: control, changeOrigin: true };

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: '../src/noria/server/static',
    emptyOutDir: true,
    target: 'es2022',
    // The content security policy allows no data: scripts or fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { '/api': forward, '/v1': forward } },
  test: { include: ['src/**/*.test.ts'] },
});
