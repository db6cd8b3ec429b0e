import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(__dirname, '../..');

/** A fenced block of a page. */
export interface Block {
  /** Path from the top folder, `docs/standalone.md`. */
  readonly page: string;
  /** Word after the fence, `sh`; empty where there is none. */
  readonly language: string;
  /** Content, without the indentation of the fence. */
  readonly text: string;
}

/** The pages that people read, the README first. */
export const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
];

/** Every fenced block of a page, in its order. */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const fence = /^( *)```(\w*)\n([\s\S]*?)^\1```$/gm;
  return [...text.matchAll(fence)].map(([, indent, language, content]) => ({
    page,
    language,
    text: content.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

export const BLOCKS = PAGES.flatMap(blocksOf);

/** The one block of a page that starts so; an error where it is gone, or not the only one. */
export function block(page: string, start: string): string {
  const found = BLOCKS.filter((each) => each.page === page && each.text.startsWith(start));
  if (found.length !== 1) throw new Error(`${page} has ${found.length} blocks with "${start}"`);
  return found[0].text;
}

/** The commands of a block, one a line, without comments. */
export function commandsOf({ text }: Block): string[] {
  return text
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map((line) =>
      line
        .replace(/\s+#.*$/, '')
        .trim()
        .replaceAll(/\s+/g, ' '),
    )
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** Every command of every page. */
export const COMMANDS = BLOCKS.filter(({ language }) => language === 'sh').flatMap(commandsOf);
