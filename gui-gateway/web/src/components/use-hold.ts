// The reservation of a component while its form is open for changes: taken before the first change, renewed, given back.
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../lib/api";
import { blockersOf, type Reservation, reservationsOf } from "../lib/reservations";

const BEAT_MS = 30_000;

export interface Hold {
    holder: string; /* somebody else; "": nobody */
    since: string;
    mine: boolean;
    take: () => Promise<boolean>;
    drop: () => void;
}

export function useHold(category: string, id: string): Hold {
    const [now, setNow] = useState<Reservation>({ reserved: false });
    const token = useRef<number>();
    const calls = reservationsOf(category);
    token.current = now.token;

    useEffect(() => {
        let gone = false;
        if (id)
            calls.state(id).then((next) => !gone && setNow(next), () => {});
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
    return { holder: now.reserved && now.token === undefined ? now.user ?? "somebody" : "", since: now.since ?? "", mine: now.token !== undefined, take, drop };
}
