<?php

declare(strict_types=1);

namespace Msab\Laravel\Contract;

/** Who may get an event, as the contract declares it. */
enum Audience: string
{
    case User = 'user';
    case Room = 'room';
    case Everyone = 'everyone';
}
