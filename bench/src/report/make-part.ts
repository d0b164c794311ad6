import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SizeName } from '../measures/sizes.ts';
import type { Part } from '../parts.ts';
import { type Servers, startServers } from '../world/servers.ts';
import { renderMarkdown, renderText } from './render.ts';
import type { Table } from './table.ts';
import type { Target } from './target.ts';

/** What makes up a part; `Data` is what its JSON file holds. */
export interface PartSpec<Data> extends Pick<Part, 'name' | 'title'> {
  measure(servers: Servers, size: SizeName, say: (line: string) => void): Promise<Data>;
  /** Its tables; what each shows, in some words and in a sentence or two. */
  tables(data: Data): { title: string; explanation: string; table: Table }[];
  /** Its pictures; what each shows, and the SVG. */
  plots(data: Data): { title: string; svg: string }[];
  targets(data: Data): Target[];
}

/** Makes a part that measures on servers of its own, and keeps what it measured in the run's folder. */
export function makePart<Data>(spec: PartSpec<Data>): Part {
  const { name, title } = spec;
  const read = async (folder: string): Promise<Data> =>
    JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8'));
  return {
    name,
    title,
    async run({ size, folder, say }) {
      await using servers = await startServers();
      const data = await spec.measure(servers, size, say);
      await writeFile(join(folder, `${name}.json`), `${JSON.stringify(data, undefined, 2)}\n`);
      for (const [index, { svg }] of spec.plots(data).entries())
        await writeFile(join(folder, plotFile(name, index)), svg);
    },
    async render(folder) {
      const data = await read(folder);
      const plots = spec
        .plots(data)
        .map((plot, index) => `![${plot.title}](performance/${plotFile(name, index)})`);
      const tables = spec
        .tables(data)
        .flatMap((shown) => [`#### ${shown.title}`, shown.explanation, renderMarkdown(shown.table)]);
      return [...plots, ...tables].join('\n\n');
    },
    async renderText(folder) {
      const tables = spec.tables(await read(folder));
      return tables.map((shown) => `${shown.title}\n${renderText(shown.table)}`).join('\n\n');
    },
    targets: async (folder) => spec.targets(await read(folder)),
  };
}

function plotFile(name: string, index: number): string {
  return index === 0 ? `${name}.svg` : `${name}-${index + 1}.svg`;
}
