// Pictograms of 16 by 16, drawn with the text's colour.

import { s } from "./dom.js";

const PATHS = {
  check: "M3 8.5l3.2 3L13 4.5",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M5.5 5.5h7v8h-7zM10.5 5.5v-3h-7v8h2",
  download: "M8 2.5v8M4.8 7.5L8 10.7l3.2-3.2M2.5 13.5h11",
  external: "M9 2.5h4.5V7M13.2 2.8L7.5 8.5M11.5 9.5v4h-9v-9h4",
  film: "M2 3.5h12v9H2zM5 3.5v9M11 3.5v9M2 8h12",
  image: "M2 3h12v10H2zM2 10.5l3.5-3.5 4 4 2-2 2.5 2.5M10.5 6h.01",
  input: "M9 2.5h4.5v11H9M2.5 8h7.5M7 5l3 3-3 3",
  link: "M6.5 9.5l3-3M7 4.5l1.5-1.5a2.8 2.8 0 0 1 4 4L11 8.5M9 11.5L7.5 13a2.8 2.8 0 0 1-4-4L5 7.5",
  music: "M6 12V3.5l7-1.3v8.5M6 12a1.8 1.6 0 1 1-3.6 0A1.8 1.6 0 0 1 6 12zM13 10.7a1.8 1.6 0 1 1-3.6 0 1.8 1.6 0 0 1 3.6 0z",
  play: "M5 3l8 5-8 5z",
  plus: "M8 3v10M3 8h10",
  retry: "M13 8a5 5 0 1 1-1.6-3.7M13.2 2v3h-3",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3l3.2 3.2",
  stack: "M2.5 5.5h8v8h-8zM5.5 5.5v-3h8v8h-3",
  text: "M3 3.5h10M3 6.5h10M3 9.5h10M3 12.5h6",
  trash: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9",
  upload: "M8 10.5v-8M4.8 5.7L8 2.5l3.2 3.2M2.5 13.5h11",
  warning: "M8 2.2l6.2 11.3H1.8zM8 6.5v3.2M8 11.5h.01",
};

export function icon(name) {
  return s("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, s("path", { d: PATHS[name] }));
}

/** The pictogram of a kind of media. */
export function kindIcon(mediaType) {
  return icon({ image: "image", video: "film", audio: "music", text: "text" }[mediaType] || "copy");
}
