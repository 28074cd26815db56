// WhatsApp text and pictures: built from DOM nodes, because message text is not trusted.
// Marks count only at word edges, as in WhatsApp: 2*3*4 and snake_case_name stay as they are.

const MARKUP = new RegExp([
  "```(?<mono>[^]+?)```",
  "(?<url>https?://(?:[^\\s<>\"()]|\\([^\\s<>\"()]*\\))+)",
  "(?<![\\p{L}\\p{N}])(?<mark>[*_~])(?!\\k<mark>)(?=\\S)(?<inner>.+?)(?<=\\S)\\k<mark>(?![\\p{L}\\p{N}])",
].join("|"), "giu");
const MARK_TAGS = { "*": "strong", "_": "em", "~": "s" };
export const FEW_EMOJI = /^(?:\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}\uFE0F]*\s?){1,3}$/u;

export function attempt(action) {
  try { return action(); } catch { return null; }
}

export function appendFormatted(parent, text) {
  let done = 0;
  for (const match of text.matchAll(MARKUP)) {
    const { mono, url, mark, inner } = match.groups;
    parent.append(text.slice(done, match.index));
    if (mono) parent.append(Object.assign(document.createElement("code"), { textContent: mono }));
    else if (url) appendLink(parent, url);
    else appendFormatted(parent.appendChild(document.createElement(MARK_TAGS[mark])), inner);
    done = match.index + match[0].length;
  }
  parent.append(text.slice(done));
}

function appendLink(parent, text) {
  // A full stop after an address belongs to the sentence, not to the address.
  const address = text.replace(/[.,!?;:'*_~\]]+$/, "");
  const href = safeUrl(address);
  parent.append(href ? newTabLink(href, address) : address, text.slice(address.length));
}

export function safeUrl(text) {
  const url = attempt(() => new URL(text, location.href));
  return ["http:", "https:"].includes(url?.protocol) ? url.href : null;
}

function newTabLink(href, content) {
  const link = Object.assign(document.createElement("a"), { href, target: "_blank", rel: "noopener" });
  link.append(content);
  return link;
}

export function pictureLink(href, author) {
  const picture = Object.assign(document.createElement("img"), { src: href, alt: `Picture from ${author}` });
  const link = newTabLink(href, picture);
  // Bots also send documents and audio; a link is the useful thing to show for those.
  picture.addEventListener("error", () => link.replaceChildren("📎 Open attachment"));
  return link;
}
