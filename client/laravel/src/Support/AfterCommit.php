<?php

declare(strict_types=1);

namespace Msab\Laravel\Support;

use Illuminate\Container\Container;

/** Runs a piece of work when the transaction that is open commits, or at once where none is. */
final class AfterCommit
{
    /** Never, where the transaction is rolled back. What the work throws would reach the committer. */
    public function run(\Closure $work): void
    {
        $app = Container::getInstance();
        if ($app->bound('db.transactions')) {
            $app->make('db.transactions')->addCallback($work);
        } else {
            $work();
        }
    }
}
