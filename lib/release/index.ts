export * from './model';
export * from './parse';
