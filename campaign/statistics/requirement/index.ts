export * from './die-looks.js';
export * from './die-verdict.js';
export * from './judge-shares.js';
export * from './paired-images.js';
export * from './tell-apart.js';
export * from './yield.js';
