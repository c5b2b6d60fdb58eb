// The panel beside the document: its versions by day. Arrow keys move between them, Escape closes.
import { useEffect, useRef } from "preact/hooks";
import { colourOf, initialsOf } from "../lib/people";
import { dayOf, exactly, timeOf } from "../lib/time";
import type { Version } from "../lib/versions";
import { IconButton } from "../ui/button";
import { Icon } from "../ui/icons";

const FACES = 3;

/** Who is to be named: those who changed something, else who kept it. */
export function peopleOf(version: Version): string[] {
    const changed = [...version.contributors].sort((a, b) => b.changes - a.changes).map((c) => c.user).filter(Boolean);
    return changed.length > 0 ? changed : version.author ? [version.author] : [];
}

export const nameOf = (version: Version) => version.label || `Version of ${exactly(version.at)}`;

function Faces({ people }: { people: string[] }) {
    const colour = (user: string) => (element: HTMLElement | null) => element?.style.setProperty("--person", colourOf(user));
    return (
        <span class="history-faces" aria-hidden="true">
            {people.slice(0, FACES).map((user) => (
                <span key={user} class="avatar" ref={colour(user)}>{initialsOf(user)}</span>
            ))}
        </span>
    );
}

function Row({ version, chosen, onChoose }: { version: Version; chosen: boolean; onChoose: () => void }) {
    const people = peopleOf(version);
    return (
        <li>
            <button
                type="button"
                class="history-row"
                data-testid="history-row"
                data-seq={version.seq}
                aria-current={chosen ? "true" : undefined}
                onClick={onChoose}
            >
                <span class="history-when">
                    {version.label && <Icon name="bookmark" />}
                    <span class="history-label" title={nameOf(version)}>{version.label || timeOf(version.at)}</span>
                </span>
                <span class="history-who">
                    {version.label && `${timeOf(version.at)}${people.length > 0 ? " · " : ""}`}
                    {people.join(", ") || (version.label ? "" : "Somebody")}
                </span>
                <Faces people={people} />
            </button>
        </li>
    );
}

function byDay(list: Version[]): [day: string, rows: Version[]][] {
    const days = new Map<string, Version[]>();
    for (const version of list) {
        const day = dayOf(version.at);
        days.set(day, [...days.get(day) ?? [], version]);
    }
    return [...days];
}

function onArrow(event: KeyboardEvent, panel: HTMLElement): void {
    const rows = [...panel.querySelectorAll<HTMLElement>("[data-testid=history-row]")];
    const at = rows.indexOf(event.target as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined || at < 0 || !rows[to])
        return;
    event.preventDefault();
    rows[to].focus();
}

interface Props {
    list: Version[] | null; /* null: not here yet */
    more: boolean;
    chosen: number | null;
    problem: string;
    readonly: boolean;
    onChoose: (version: Version) => void;
    onKeep: () => void;
    onMore: () => void;
    onClose: () => void;
}

export function HistoryList({ list, more, chosen, problem, readonly, onChoose, onKeep, onMore, onClose }: Props) {
    const panel = useRef<HTMLElement>(null);
    const head = useRef<HTMLHeadingElement>(null);

    useEffect(() => head.current?.focus(), []);
    return (
        <aside
            ref={panel}
            id="history"
            class="history"
            aria-labelledby="history-title"
            data-testid="history"
            onKeyDown={(event) => (event.key === "Escape" ? onClose() : onArrow(event, panel.current!))}
        >
            <div class="history-head">
                <h2 id="history-title" ref={head} tabIndex={-1}>History</h2>
                <IconButton icon="close" label="Close history" data-testid="history-close" onClick={onClose} />
            </div>
            {!readonly && (
                <button type="button" class="button" data-testid="history-keep" onClick={onKeep}>
                    <Icon name="bookmark" /> Keep this version
                </button>
            )}
            {problem && <p class="problem" role="alert"><Icon name="warn" /> {problem}</p>}
            {list?.length === 0 && (
                <p class="history-empty">No versions yet. Umbel keeps one from time to time while people write.</p>
            )}
            {list === null && !problem && <div class="history-bones" aria-hidden="true"><span class="bone" /><span class="bone" /><span class="bone" /></div>}
            <div class="history-days" data-testid="history-list" aria-busy={list === null}>
                {byDay(list ?? []).map(([day, rows]) => (
                    <section key={day} aria-label={day}>
                        <h3>{day}</h3>
                        <ul>
                            {rows.map((version) => (
                                <Row key={version.seq} version={version} chosen={version.seq === chosen} onChoose={() => onChoose(version)} />
                            ))}
                        </ul>
                    </section>
                ))}
                {more && <button type="button" class="button" data-testid="history-more" onClick={onMore}>Older versions</button>}
            </div>
        </aside>
    );
}
