<?php

declare(strict_types=1);

namespace Msab\Laravel\Exceptions;

/** Everything that this package throws of its own. */
interface MsabException extends \Throwable {}
