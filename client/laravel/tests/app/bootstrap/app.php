<?php

use App\Relay\SendGift;
use Illuminate\Foundation\Application;
use Illuminate\Foundation\Configuration\Exceptions;
use Illuminate\Foundation\Configuration\Middleware;
use Illuminate\Http\Middleware\HandleCors;
use Msab\Laravel\Webhook\GiftHandler;

$work = require __DIR__.'/environment.php';

return Application::configure(basePath: dirname(__DIR__))
    ->withRouting(
        web: __DIR__.'/../routes/web.php',
        commands: __DIR__.'/../routes/console.php',
        channels: __DIR__.'/../routes/channels.php',
    )
    ->withMiddleware(function (Middleware $middleware) {
        $middleware->remove(HandleCors::class);  // its package is one that the tests stand in for
        $middleware->validateCsrfTokens(except: ['*']);
    })
    ->withExceptions(function (Exceptions $exceptions) {})
    ->withBindings([GiftHandler::class => SendGift::class])
    ->create()
    ->useStoragePath("$work/storage");
