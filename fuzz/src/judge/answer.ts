/** What came back for a request. */
export interface Answer {
  status: number;
  /** By name in lower case; several of one name with commas between them. */
  headers: Readonly<Record<string, string>>;
  text: string;
  /** From the first byte that was sent to the last that came. */
  ms: number;
}

/** A request that got no answer, and why. */
export interface NoAnswer {
  error: string;
  ms: number;
}
