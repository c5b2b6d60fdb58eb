// Whether this document is reserved, for whom, and what can be done about it.
//
// 1. The truth is asked for: at the opening, and whenever the core says that something has changed (a note in the document, or
//    another right to write).
// 2. A reservation of this session is renewed by a heartbeat, and given back when the page is left. Should the page die, its
//    lease ends by itself.
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../lib/api";
import { blockersOf, type Reservation, reservations } from "../lib/reservations";
import { confirmDialog } from "../ui/dialog";
import { notify, notifyError } from "../ui/toast";
import type { CollabState } from "./collab";

const HEARTBEAT_MOST_MS = 40_000;
const HEARTBEAT_LEAST_MS = 1_000;

export interface ReservationView {
    mine: boolean;
    holder: string; /* "": nobody */
    busy: boolean;
    toggle: () => Promise<void>;
}

/** A third of what is left of the lease. */
function beatOf(now: Reservation): number {
    const left = now.expires ? Date.parse(now.expires) - Date.now() : 0;
    return Math.min(HEARTBEAT_MOST_MS, Math.max(HEARTBEAT_LEAST_MS, left / 3));
}

const list = (names: string[]) => names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

export function useReservation(name: string, state: CollabState): ReservationView {
    const [now, setNow] = useState<Reservation>({ reserved: false });
    const [busy, setBusy] = useState(false);
    const mine = now.token !== undefined;
    const held = useRef<number>();
    held.current = now.token;

    const called = (user: string) => state.people.find((person) => person.id === user)?.name || user || "somebody";

    useEffect(() => {
        let gone = false;
        if (state.opened)
            reservations.state(name).then((next) => !gone && setNow(next), () => {});
        return () => {
            gone = true;
        };
    }, [name, state.opened, state.readonly, state.reservation?.turn]);

    useEffect(() => {
        const note = state.reservation;
        if (note?.event === "broken" && held.current !== undefined)
            notify(`${called(note.by)} has ended your reservation.`);
    }, [state.reservation?.turn]);

    useEffect(() => {
        const { token } = now;
        if (token === undefined)
            return;
        const again = () => setNow((old) => ({ ...old })); /* the next beat tries again */
        const timer = setTimeout(() => void reservations.renew(name, token).then(setNow, (error: unknown) => {
            if (error instanceof ApiError && error.status === 423)
                reservations.state(name).then(setNow, again); /* another tab may have taken it anew */
            else
                again();
        }), beatOf(now));
        return () => clearTimeout(timer);
    }, [now]);

    useEffect(() => {
        const leave = () => {
            if (held.current !== undefined)
                void reservations.release(name, held.current).catch(() => {});
        };
        addEventListener("pagehide", leave);
        return () => {
            removeEventListener("pagehide", leave);
            leave();
        };
    }, [name]);

    async function take(force: boolean): Promise<void> {
        try {
            setNow(await reservations.take(name, force));
        } catch (error) {
            const blockers = blockersOf(error);
            const holder = blockers.find((blocker) => !blocker.editing);
            const editors = list(blockers.map((blocker) => called(blocker.user)));
            if (holder)
                notifyError(`${called(holder.user)} has reserved this document.`);
            else if (blockers.length === 0)
                notifyError(`Not reserved: ${error instanceof ApiError ? error.message : "unknown trouble"}`);
            else if (await confirmDialog({
                title: `${editors} can write here now`,
                body: "If you reserve the document all the same, the others can only read it until you release it.",
                confirm: "Reserve",
            }))
                await take(true);
        }
    }

    async function toggle(): Promise<void> {
        setBusy(true);
        try {
            if (now.token !== undefined)
                setNow(await reservations.release(name, now.token));
            else
                await take(false);
        } catch {
            notifyError("The reservation could not be given back. It ends by itself.");
        }
        setBusy(false);
    }

    return { mine, holder: now.reserved && !mine ? called(now.user ?? "") : "", busy, toggle };
}
