// Figures as people say them: "1.4 MB", "3 h 12 min".
const UNITS = ["bytes", "KB", "MB", "GB", "TB"];
const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

export const count = (n: number) => whole.format(n);

export function bytes(n: number): string {
    const power = n < 1000 ? 0 : Math.min(Math.floor(Math.log10(n) / 3), UNITS.length - 1);
    return `${short.format(n / 1000 ** power)} ${UNITS[power]}`;
}

/** The two largest parts of a length of time. */
export function duration(ms: number): string {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    const parts: [n: number, unit: string][] = [
        [Math.floor(seconds / 86400), "d"], [Math.floor(seconds / 3600) % 24, "h"],
        [Math.floor(seconds / 60) % 60, "min"], [seconds % 60, "s"],
    ];
    const first = parts.findIndex(([n]) => n > 0);
    return first < 0 ? "0 s" : parts.slice(first, first + 2).filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}`).join(" ");
}

export const several = (n: number, one: string, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
