// What went wrong, in a sentence.
import { ApiError } from "./api";

export const messageOf = (error: unknown) => (error instanceof ApiError ? error.message : "unknown trouble");
