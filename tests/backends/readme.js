// The snippets of a README: a fenced block below a line `<!-- run: NAME -->`, and what it prints below `<!-- expect: NAME -->`.

/** The text of the blocks: `{ run: { name: text }, expect: { name: text } }`. A marker without a block is an error. */
export function snippets(markdown) {
  const found = { run: {}, expect: {} };
  const lines = markdown.split("\n");
  for (const [at, line] of lines.entries()) {
    const marker = /^<!-- (run|expect): ([a-z]+) -->$/.exec(line);
    if (!marker) continue;
    const [, kind, name] = marker;
    const end = lines.indexOf("```", at + 2);
    if (!lines[at + 1]?.startsWith("```") || end < 0) throw new Error(`no block below ${line}`);
    if (name in found[kind]) throw new Error(`twice: ${line}`);
    found[kind][name] = lines.slice(at + 2, end).join("\n");
  }
  return found;
}

/** Whether the text is what was expected, where `…` or `...` in the expectation stands for anything on that line. */
export function matches(expected, text) {
  const pattern = expected
    .trim()
    .split(/…|\.\.\./)
    .map((literal) => literal.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replace(/\s+/g, "\\s*"))
    .join(".+");
  return new RegExp(`^${pattern}$`).test(text.trim());
}
