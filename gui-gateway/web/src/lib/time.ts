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

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });
const longDay = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });
const longDayYear = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const dayNumber = (date: Date) => Math.floor((date.getTime() - date.getTimezoneOffset() * MINUTE) / DAY);

/** "Today", "Yesterday", "Monday, 2 March", with the year when it is another one. */
export function dayOf(iso: string, now = new Date()): string {
    const date = new Date(iso);
    const back = dayNumber(now) - dayNumber(date);
    if (back === 0 || back === 1)
        return back === 0 ? "Today" : "Yesterday";
    return (date.getFullYear() === now.getFullYear() ? longDay : longDayYear).format(date);
}

export const timeOf = (iso: string) => clock.format(Date.parse(iso));

export function exactly(iso: string): string {
    const at = Date.parse(iso);
    return Number.isNaN(at) ? "" : exact.format(at);
}

/** The day of a date, "12 Mar 2026"; anything else as it is. */
export function exactDay(date: string): string {
    const at = /^\d{4}-\d\d-\d\d/.test(date) ? Date.parse(date.slice(0, 10)) : NaN;
    return Number.isNaN(at) ? date : otherYear.format(at);
}
