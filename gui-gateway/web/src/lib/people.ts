// A person's colour and initials: the same on every screen, computed from the name alone.

/** White text on any of these reaches a contrast of 4.5:1; each shows as a line on light and dark paper. */
const COLOURS = [
    "#2f6f9f", "#a2503a", "#6d55b0", "#3b7a4b", "#ab4274", "#8a6417",
    "#26787a", "#b0473f", "#4d63b5", "#66732a", "#8f4a9e", "#7d6047",
];

export function colourOf(id: string): string {
    let hash = 2166136261;
    for (const char of id)
        hash = Math.imul(hash ^ char.codePointAt(0)!, 16777619);
    return COLOURS[(hash >>> 0) % COLOURS.length]!;
}

export function initialsOf(name: string): string {
    const words = name.trim().split(/[\s._-]+/u).filter(Boolean);
    const first = [...(words[0] ?? "?")][0]!;
    const last = words.length > 1 ? [...words[words.length - 1]!][0]! : "";
    return (first + last).toUpperCase();
}
