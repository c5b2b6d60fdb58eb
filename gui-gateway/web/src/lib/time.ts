// Times as people say them: "just now", "5 min ago", "yesterday", "12 Mar".
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const sameYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const otherYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

export function ago(iso: string, now = Date.now()): string {
    const at = Date.parse(iso);
    if (Number.isNaN(at))
        return "";
    const age = now - at;
    if (age < MINUTE)
        return "just now";
    if (age < HOUR)
        return relative.format(-Math.floor(age / MINUTE), "minute");
    if (age < DAY)
        return relative.format(-Math.floor(age / HOUR), "hour");
    if (age < 7 * DAY)
        return relative.format(-Math.floor(age / DAY), "day");
    const date = new Date(at);
    return (date.getFullYear() === new Date(now).getFullYear() ? sameYear : otherYear).format(date);
}

export function exactly(iso: string): string {
    const at = Date.parse(iso);
    return Number.isNaN(at) ? "" : exact.format(at);
}
