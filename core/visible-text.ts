/** Control characters (C0, DEL, C1), and those that break lines or turn the direction of what follows. */
const INVISIBLE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

const SHORT_FORMS: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Text from a file or a user as a terminal shows it safely: control characters and marks of direction are written out
 * (`\x1b`, `\u202e`), line breaks, too.
 */
export function visibleText(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    const code = character.charCodeAt(0).toString(16);
    const escaped =
      code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`;
    return SHORT_FORMS[character] ?? escaped;
  });
}

/** `visibleText` line by line: the line breaks are those of the layout. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visibleText).join('\n');
}

/** Characters of the longest message. */
const LONGEST_MESSAGE = 2000;

/** A message for the terminal: one line of visible text; the middle of a longer one is left out. */
export function visibleMessage(message: string): string {
  const text = visibleText(message);
  if (text.length <= LONGEST_MESSAGE) return text;
  const left = text.length - LONGEST_MESSAGE;
  const half = LONGEST_MESSAGE / 2;
  return `${text.slice(0, half)} … (${left} characters left out) … ${text.slice(-half)}`;
}
