<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

/** The application's word on gifts. Named in `msab.webhook.gifts`; made by the container. */
interface GiftHandler
{
    /**
     * Charges the sender and credits the recipients, or says why not.
     *
     * Runs inside a transaction of the database connection `msab.webhook.database`. That transaction also keeps the
     * answer, so that a repeat of the same (user, transactionId) is answered from it and charges nothing. It
     * commits on Accepted and rolls back on Rejected and on any exception; an exception makes the relay
     * ask again. After a deadlock it runs again: leave what a rollback doesn't undo (mail, HTTP calls) to jobs
     * dispatched after commit.
     */
    public function handleGift(GiftCommand $gift): Accepted|Rejected;
}
