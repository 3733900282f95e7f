<?php

declare(strict_types=1);

namespace Msab\Laravel\Testing;

use Msab\Laravel\Msab;

/** Records emits instead of sending them. */
final class MsabFake extends Msab {}
