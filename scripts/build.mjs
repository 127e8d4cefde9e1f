/** `npm run build`: dist/ from src/, with what it needs installed first. */
import { prepare } from './lib/prepare.mjs';

await prepare();
