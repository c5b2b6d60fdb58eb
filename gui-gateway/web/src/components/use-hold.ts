// The reservation of a component while its form is open for changes: taken before the first change, renewed, given back.
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../lib/api";
import { blockersOf, type Reservation, reservationsOf } from "../lib/reservations";

const BEAT_MS = 30_000;
const WAIT_MS = 10_000; /* between two looks at somebody else's */

export interface Hold {
    known: boolean; /* false: nobody has answered yet */
    holder: string; /* somebody else; "": nobody */
    since: string;
    mine: boolean;
    take: () => Promise<boolean>;
    drop: () => void;
}

/** ONFREE hears that who had it has given it back: it may be another then. */
export function useHold(category: string, id: string, onFree: () => void = () => {}): Hold {
    const [now, setNow] = useState<Reservation>({ reserved: false });
    const [known, setKnown] = useState(id === "");
    const token = useRef<number>();
    const calls = reservationsOf(category);
    token.current = now.token;

    useEffect(() => {
        let gone = false;
        if (id)
            calls.state(id).then((next) => !gone && setNow(next), () => {}).finally(() => !gone && setKnown(true));
        return () => {
            gone = true;
        };
    }, [category, id]);

    useEffect(() => {
        if (now.token === undefined)
            return;
        const mine = now.token;
        const timer = setTimeout(() => void calls.renew(id, mine).then(setNow, () => calls.state(id).then(setNow, () => setNow((old) => ({ ...old })))), BEAT_MS);
        return () => clearTimeout(timer);
    }, [now]);

    const isOthers = now.reserved && now.token === undefined;
    useEffect(() => {
        if (!isOthers)
            return;
        const look = () => {
            if (document.visibilityState === "visible")
                calls.state(id).then((next) => {
                    if (!next.reserved)
                        onFree();
                    setNow(next);
                }, () => {});
        };
        const timer = setInterval(look, WAIT_MS);
        addEventListener("focus", look);
        return () => {
            clearInterval(timer);
            removeEventListener("focus", look);
        };
    }, [isOthers, category, id]);

    const drop = () => {
        if (token.current !== undefined)
            void calls.release(id, token.current).catch(() => {});
        token.current = undefined;
        setNow({ reserved: false });
    };
    useEffect(() => {
        addEventListener("pagehide", drop);
        return () => {
            removeEventListener("pagehide", drop);
            drop();
        };
    }, [category, id]);

    const take = async (): Promise<boolean> => {
        if (!id || token.current !== undefined)
            return true;
        try {
            setNow(await calls.take(id, false));
            return true;
        } catch (error) {
            const holder = blockersOf(error)[0];
            if (error instanceof ApiError && error.status === 423 && holder?.editing)
                return true; /* they write its text together; its form is another thing */
            setNow({ reserved: holder !== undefined, user: holder?.user });
            return holder === undefined;
        }
    };
    return { known, holder: isOthers ? now.user ?? "somebody" : "", since: now.since ?? "", mine: now.token !== undefined, take, drop };
}
