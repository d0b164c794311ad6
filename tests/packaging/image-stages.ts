import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import dockerIgnore, { type Ignore } from '@balena/dockerignore';
import { type Copy, DockerfileParser, type Instruction } from 'dockerfile-ast';

const run = promisify(execFile);

// Its types tell of an ES module, while it is a CommonJS one.
const createIgnore = dockerIgnore as unknown as () => Ignore;

/** A stage of the Dockerfile, carried out: `folder` stands for the image's `/`. */
export interface Stage {
  name: string;
  base: string;
  folder: string;
  workdir: string;
  user: string;
  env: Record<string, string>;
  command: string[];
}

/**
 * Carries the stages of a Dockerfile out without a container engine: each stage is a folder under `target`, and COPY
 * and RUN do there what they say. The base image is the machine's own, so a RUN that changes the image outside of the
 * stage's folder is refused, but for one that only removes programs of the base image.
 */
export async function buildStages(root: string, target: string): Promise<Map<string, Stage>> {
  const dockerfile = DockerfileParser.parse(readFileSync(join(root, 'Dockerfile'), 'utf8'));
  const context = join(target, 'context');
  copyContext(root, context);
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const instruction of dockerfile.getInstructions()) {
    if (instruction.getKeyword() === 'FROM') {
      stage = await startStage(instruction, stages, target);
      stages.set(stage.name, stage);
    } else {
      if (!stage) throw new Error(`${instruction.getKeyword()} stands before the first FROM`);
      await carryOut(instruction, stage, stages, context);
    }
  }
  return stages;
}

/** Copies what a builder would be sent: everything that .dockerignore lets through. */
function copyContext(root: string, context: string): void {
  const ignore = createIgnore().add(readFileSync(join(root, '.dockerignore'), 'utf8'));
  copyUnignored(ignore, root, context, '');
}

function copyUnignored(ignore: Ignore, root: string, context: string, folder: string): void {
  mkdirSync(join(context, folder), { recursive: true });
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (ignore.ignores(path)) continue;
    if (entry.isDirectory()) copyUnignored(ignore, root, context, path);
    else cpSync(join(root, path), join(context, path));
  }
}

async function startStage(from: Instruction, stages: Map<string, Stage>, target: string): Promise<Stage> {
  const [base = '', , name = ''] = words(from);
  const parent = stages.get(base);
  const folder = join(target, name);
  mkdirSync(folder);
  if (!parent) return { name, base, folder, workdir: '/', user: 'root', env: {}, command: [] };
  await copyInto([`${parent.folder}/.`], folder);
  return { ...parent, name, folder, env: { ...parent.env } };
}

async function carryOut(
  instruction: Instruction,
  stage: Stage,
  stages: Map<string, Stage>,
  context: string,
): Promise<void> {
  const text = instruction.getArgumentsContent() ?? '';
  switch (instruction.getKeyword()) {
    case 'WORKDIR':
      stage.workdir = text;
      mkdirSync(join(stage.folder, text), { recursive: true });
      return;
    case 'COPY':
      return await copy(instruction as Copy, stage, stages, context);
    case 'RUN':
      return await runInStage(text, stage);
    case 'ENV':
      stage.env = { ...stage.env, ...Object.fromEntries(words(instruction).map((word) => word.split('='))) };
      return;
    case 'USER':
      stage.user = text;
      return;
    case 'CMD':
      stage.command = JSON.parse(text);
      return;
    default:
      throw new Error(`${instruction.getKeyword()} is not known here`);
  }
}

/** Copies as Docker does: of a folder its content, and `--from` another stage. */
async function copy(
  instruction: Copy,
  stage: Stage,
  stages: Map<string, Stage>,
  context: string,
): Promise<void> {
  const from = instruction.getFromFlag()?.getValue();
  const source = from ? stages.get(from)?.folder : context;
  if (!source) throw new Error(`There is no stage ${from}`);
  const paths = words(instruction);
  const to = join(stage.folder, stage.workdir, paths.pop() ?? '');
  for (const path of paths.map((name) => join(source, name))) {
    const isFolder = statSync(path).isDirectory();
    mkdirSync(to, { recursive: true });
    await copyInto([isFolder ? `${path}/.` : path], to);
  }
}

async function copyInto(sources: string[], folder: string): Promise<void> {
  await run('cp', ['-a', ...sources, folder]);
}

const REMOVES_PROGRAMS = /^rm -rf( (\/usr\/local\/(bin|lib)\/[a-z_]+|\/opt\/yarn-v\*))+$/;

async function runInStage(command: string, stage: Stage): Promise<void> {
  if (REMOVES_PROGRAMS.test(command)) return;
  if (/(^|\s)\//.test(command)) throw new Error(`This would change the machine, not the stage: ${command}`);
  const env = Object.entries(stage.env).map(([name, value]) => `${name}=${value}`);
  await run('env', [...env, 'sh', '-ec', command], { cwd: join(stage.folder, stage.workdir) });
}

function words(instruction: Instruction): string[] {
  return (instruction.getArgumentsContent() ?? '').split(/\s+/);
}
