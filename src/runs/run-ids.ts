import { customAlphabet } from 'nanoid';

/** 103 random bits in 20 characters that are safe in a URL, an event id and a file name. */
export const newId = customAlphabet('0123456789abcdefghijklmnopqrstuvwxyz', 20);
