<?php

namespace App\Events;

use App\Models\Agency;
use App\Models\User;
use Illuminate\Foundation\Events\Dispatchable;

/** A member was removed from the agency. */
final readonly class AgencyMemberKicked
{
    use Dispatchable;

    public function __construct(
        public Agency $agency,
        public User $member,
        public ?string $reason = null,
    ) {}
}
