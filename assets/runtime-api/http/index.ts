export { type Decode, decodeInPieces, decodeUtf8 } from './decode';
export { joined } from './joined';
export { encodeRequest, RequestEncoder } from './request-encoder';
export { MalformedResponse } from './response-head';
export { type Response, ResponseReader } from './response-reader';
