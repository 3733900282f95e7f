<?php

declare(strict_types=1);

namespace Msab\Laravel\Support;

use Illuminate\Container\Container;
use Illuminate\Database\DatabaseTransactionRecord;

/**
 * Runs pieces of work when the transaction that is open commits, or at once where none is: in the order in which they
 * were given, however transactions are nested.
 *
 * Laravel runs the callbacks of nested transactions before those of the ones around them, so that what was emitted
 * first would leave last, and of two balances of one millisecond the older would count.
 */
final class AfterCommit
{
    /** @var \WeakMap<DatabaseTransactionRecord, \ArrayObject<int, AfterCommitWork>> what waits, by the outermost transaction */
    private \WeakMap $waiting;

    public function __construct()
    {
        $this->waiting = new \WeakMap;
    }

    /** Never, where its transaction or one around it is rolled back. What the work throws would reach the committer. */
    public function run(\Closure $work): void
    {
        $app = Container::getInstance();
        $open = $app->bound('db.transactions') ? $app->make('db.transactions')->callbackApplicableTransactions() : null;
        /** @var DatabaseTransactionRecord|null $innermost */
        $innermost = $open?->last();
        if ($innermost === null) {
            $work();

            return;
        }
        /** @var DatabaseTransactionRecord $outermost */
        $outermost = $open->firstWhere('connection', $innermost->connection);
        $entry = new AfterCommitWork($work, isCommitted: $innermost === $outermost);
        $this->waitingFor($outermost)->append($entry);
        if (! $entry->isCommitted) {
            // Called only if the outermost commits and nothing between them was rolled back; before the outermost's own.
            $innermost->addCallback(function () use ($entry): void {
                $entry->isCommitted = true;
            });
        }
    }

    /** @return \ArrayObject<int, AfterCommitWork> */
    private function waitingFor(DatabaseTransactionRecord $outermost): \ArrayObject
    {
        if (! isset($this->waiting[$outermost])) {
            $waiting = $this->waiting[$outermost] = new \ArrayObject;
            $outermost->addCallback(function () use ($waiting): void {
                foreach ($waiting->exchangeArray([]) as $entry) {
                    if ($entry->isCommitted) {
                        ($entry->work)();
                    }
                }
            });
        }

        return $this->waiting[$outermost];
    }
}
