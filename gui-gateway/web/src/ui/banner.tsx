// One calm line while the service does not answer. Short interruptions pass unseen.
import { useEffect, useState } from "preact/hooks";
import { serviceAway } from "../lib/api";
import { useStore } from "../lib/store";

const PATIENCE_MS = 1_200;

export function AwayBanner() {
    const away = useStore(serviceAway);
    const [shown, setShown] = useState(false);

    useEffect(() => {
        const timer = setTimeout(() => setShown(away), away ? PATIENCE_MS : 0);
        return () => clearTimeout(timer);
    }, [away]);

    return (
        <div role="status" aria-live="polite">
            {shown && away && (
                <p class="banner" data-testid="away">
                    <span class="pulse" aria-hidden="true" />
                    <span>Reconnecting to Umbel…<span class="wide-only"> This page continues by itself.</span></span>
                </p>
            )}
        </div>
    );
}
