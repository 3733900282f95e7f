<?php

namespace App\Events;

use App\Models\IncomeTarget;
use App\Models\User;
use Illuminate\Foundation\Events\Dispatchable;

/** A host reached an income target. */
final readonly class IncomeTargetCompleted
{
    use Dispatchable;

    public function __construct(
        public User $host,
        public IncomeTarget $target,
    ) {}
}
