<?php

define('LARAVEL_START', microtime(true));

require getenv('MSAB_TEST_VENDOR').'/autoload.php';

(require __DIR__.'/../bootstrap/app.php')->handleRequest(Illuminate\Http\Request::capture());
