/** Documents one kind of problem: a row of docs/errors.md, and the page its `type` URL points to. */
export interface ProblemDefinition {
  status: number;
  title: string;
  meaning: string;
  /** What the caller should do about it. */
  remedy: string;
}
