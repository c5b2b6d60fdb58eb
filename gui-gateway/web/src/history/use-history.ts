// What the panel and the view share: the list, the chosen version, and what can be done with it.
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../lib/api";
import { exactly } from "../lib/time";
import { LABEL_MOST, type Version, type VersionPage, versions } from "../lib/versions";
import { confirmDialog, promptDialog } from "../ui/dialog";
import { notify, notifyError } from "../ui/toast";
import { nameOf } from "./list";
import type { Mode } from "./view";

const reason = (error: unknown) => (error instanceof ApiError ? error.message : "unknown trouble");

export interface History {
    open: boolean;
    page: VersionPage | null;
    problem: string;
    chosen: Version | null;
    mode: Mode;
    setOpen: (open: boolean) => void;
    choose: (version: Version | null) => void;
    setMode: (mode: Mode) => void;
    more: () => void;
    keep: () => Promise<void>;
    rename: () => Promise<void>;
    restore: () => Promise<void>;
}

/** The newest versions, again each time TURN changes, and older ones on demand. */
function useList(name: string, open: boolean, turn: number) {
    const [page, setPage] = useState<VersionPage | null>(null);
    const [problem, setProblem] = useState("");
    const [oldest, setOldest] = useState(0);

    useEffect(() => {
        if (!open)
            return;
        const control = new AbortController();
        const join = (next: VersionPage) => {
            setProblem("");
            setPage((old) => (oldest && old ? { results: [...old.results.filter((v) => v.seq >= oldest), ...next.results], more: next.more } : next));
        };
        versions.list(name, oldest, control.signal).then(join, (error: unknown) => !control.signal.aborted && setProblem(reason(error)));
        return () => control.abort();
    }, [name, open, turn, oldest]);
    return { page, problem, older: () => setOldest(page?.results.at(-1)?.seq ?? 0), newest: () => setOldest(0) };
}

export function useHistory(name: string): History {
    const [open, setOpen] = useState(false);
    const [turn, setTurn] = useState(0);
    const [chosen, choose] = useState<Version | null>(null);
    const [mode, setMode] = useState<Mode>("text");
    const { page, problem, older, newest } = useList(name, open, turn);
    const again = () => {
        newest();
        setTurn((n) => n + 1);
    };
    const attempt = async (what: string, act: () => Promise<void>) => {
        try {
            await act();
        } catch (error) {
            notifyError(`${what}: ${reason(error)}`);
        }
        again();
    };

    const keep = async () => {
        const label = await promptDialog({
            title: "Keep this version",
            body: "The document as it is now stays in the history for good.",
            confirm: "Keep",
            input: { label: "Name", value: "", max: LABEL_MOST },
        });
        if (label !== null)
            await attempt("Not kept", async () => {
                await versions.keep(name, label);
                notify(`Kept as “${label}”.`);
            });
    };
    const rename = async () => {
        const label = chosen && await promptDialog({
            title: "Name this version",
            confirm: "Apply",
            input: { label: "Name (empty takes it away)", value: chosen.label, max: LABEL_MOST, optional: true },
        });
        if (chosen && label !== null)
            await attempt("Not named", async () => choose(await versions.rename(name, chosen.seq, label)));
    };
    const restore = async () => {
        const sure = chosen && await confirmDialog({
            title: "Restore this version?",
            body: `The document becomes what it was at ${exactly(chosen.at)}, for everybody who has it open. What it is now is kept in the history first.`,
            confirm: "Restore",
        });
        if (chosen && sure)
            await attempt("Not restored", async () => {
                const { changed } = await versions.restore(name, chosen.seq);
                choose(null);
                notify(changed ? `Restored: ${nameOf(chosen)}.` : "The document shows this version already.");
            });
    };
    return {
        open, page, problem, chosen, mode, choose, setMode, keep, rename, restore, more: older,
        setOpen: (next) => {
            if (!next)
                choose(null);
            setMode("text");
            newest();
            setOpen(next);
        },
    };
}
