/** The types of the page's modules, for `tsc`; no browser loads this file. */

// ---- what the server answers

interface GalleryInfo {
  name: string;
  count: number;
  model: string | null;
  judges: boolean;
  folders: { path: string; count: number }[];
  first: number | null;
  last: number | null;
  months: { month: string; count: number }[];
  adding: Adding | null;
}

interface Adding {
  done: number;
  total: number;
  failed: number;
  started: number;
}

/** What came of adding. */
interface Added {
  added?: number;
  changed?: number;
  gone?: number;
  failed?: number;
  sentence?: string; // why it ended early
}

/** A picture, as an answer shows it. */
interface Hit {
  id: number;
  v: string; // another one when the file was replaced
  path: string;
  name: string;
  folder: string;
  taken: number | null; // seconds since 1970
  width: number;
  height: number;
  kind: "picture" | "clip";
  frames: number;
  frame: number; // the one that fits best
  second: number | null;
  copies: { id: number; path: string }[];
  concepts: string[];
  says: string | null;
  sure: boolean;
  alt: string;
  here?: boolean; // false: its drive is not connected
  why?: string | null; // it can't be shown
}

interface Asked {
  ask: string | null;
  listing: boolean;
  line: string;
  verdict: string;
  sentence: string;
  understood: string[];
  total: number | null;
  error: { sentence: string; position: [number, number] | null; corrected: string | null } | null;
}

interface Order {
  ids: number[];
  ratios: number[]; // width / height · 100; 0 is unknown
  versions: string; // four letters for each picture
  months: { month: string; start: number }[];
}

interface SuggestionPart {
  text: string;
  shown: string;
  meaning?: string;
  start: number;
  end: number;
  picture?: number; // it is a file's name: choosing it opens the picture
}

interface AtlasData {
  points: { id: number; x: number; y: number; cluster: number }[];
  clusters: { words: string[]; count: number; x: number; y: number; shown: number[] }[];
  names: Record<number, string>; // of the files
}

// ---- the page's own

type Sort = "best" | "newest" | "oldest";

/** What is asked, as it stands in the address. */
interface Question {
  line: string;
  like: number | null;
  picture: string | null;
  more: number[];
  less: number[];
  sort: Sort;
  folder: string | null;
  since: string | null;
  until: string | null;
  guesses: boolean;
}

/** Where the page is: the question, which view, and the picture that is open. */
interface Place {
  question: Question;
  view: "pictures" | "atlas";
  show: number | null;
}

/** One block of the grid below a heading. */
interface Section {
  key: string;
  title: string;
  start: number; // its first picture
}

/** A run of pictures that stand side by side. */
interface Row {
  top: number; // below the top of the grid, px
  height: number;
  first: number;
  end: number; // one behind its last picture
  section: number;
}

type Child = Node | string | number | null | undefined | false | Child[];

type ElementOf<Spec extends string> = Spec extends `${infer Tag}.${string}`
  ? NamedElement<Tag>
  : NamedElement<Spec>;
type NamedElement<Tag extends string> = Tag extends keyof HTMLElementTagNameMap
  ? HTMLElementTagNameMap[Tag]
  : HTMLElement;

interface Properties {
  class?: string;
  style?: Record<string, string | number | null | undefined>;
  dataset?: Record<string, string>;
  [name: string]: any;
}
