<?php

// phpunit's --bootstrap: the vendor directory of the Laravel that tests/run was asked for.

require getenv('MSAB_TEST_VENDOR').'/autoload.php';
