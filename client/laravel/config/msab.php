<?php

return [

    /*
    |--------------------------------------------------------------------------
    | Default relay
    |--------------------------------------------------------------------------
    |
    | The connection, of those below, that Msab::toUser() and its like speak to.
    | Another one: Msab::connection('name')->toUser(…).
    |
    */

    'default' => env('MSAB_CONNECTION', 'default'),

    /*
    |--------------------------------------------------------------------------
    | Strictness
    |--------------------------------------------------------------------------
    |
    | Whether emit() throws InvalidEvent for an event that breaks the contract.
    | If it doesn't, the event is reported to the exception handler, counted and
    | dropped, so that a wrong payload can't roll back a purchase. null: strict
    | everywhere but in production. emitNow() always throws.
    |
    */

    'strict' => env('MSAB_STRICT'),

    /*
    |--------------------------------------------------------------------------
    | Delivery
    |--------------------------------------------------------------------------
    |
    | How emit() hands an event over. Always after the commit:
    |
    |   queue    a job, tried again for nine minutes while the relay is away
    |   outbox   a row in your database, written in the same transaction; a worker
    |            of its own (msab:outbox work) sends it, in order
    |   defer    once the response is sent; no worker, no second try
    |   sync     within the request; no worker, no second try
    |
    */

    'delivery' => env('MSAB_DELIVERY', 'queue'),

    'queue' => [
        // null: the application's defaults.
        'connection' => env('MSAB_QUEUE_CONNECTION'),
        'queue' => env('MSAB_QUEUE'),
    ],

    /*
    |--------------------------------------------------------------------------
    | Broadcasting
    |--------------------------------------------------------------------------
    |
    | For BROADCAST_CONNECTION=msab. Channels, without "private-" or "presence-",
    | that are one user, and that are one room of the id alone. Another private or
    | presence channel is the room of its full name ("private-orders.7"); the public
    | channel "everyone" is everyone, any other the room of its name.
    |
    */

    'broadcasting' => [
        'user_channels' => ['user.{id}', 'App.Models.User.{id}'],
        'room_channels' => ['room.{id}'],
    ],

    /*
    |--------------------------------------------------------------------------
    | Relays
    |--------------------------------------------------------------------------
    |
    | transport: auto   gRPC; the JSON twin where PHP has no grpc extension, and in
    |                   processes forked from the command line (Swoole, pcntl_fork)
    |            grpc, http, log (to the application's log) or null (nowhere)
    |
    */

    'connections' => [

        'default' => [
            'transport' => env('MSAB_TRANSPORT', 'auto'),

            // One of the relay's auth.api_keys.
            'key' => env('MSAB_API_KEY'),

            'grpc' => [
                'address' => env('MSAB_GRPC', '127.0.0.1:50051'),
                'tls' => env('MSAB_GRPC_TLS', false),
                // Files in PEM. ca: whom to trust, if not the system's authorities.
                // cert, cert_key: the client's own, where the relay wants one (grpc.client_ca).
                'ca' => env('MSAB_GRPC_CA'),
                'cert' => env('MSAB_GRPC_CERT'),
                'cert_key' => env('MSAB_GRPC_CERT_KEY'),
            ],

            'http' => [
                'url' => env('MSAB_HTTP_URL', 'http://127.0.0.1:9090'),
                'ca' => env('MSAB_HTTP_CA'),
                'cert' => env('MSAB_HTTP_CERT'),
                'cert_key' => env('MSAB_HTTP_CERT_KEY'),
            ],

            // Seconds for one call: while a user waits, and in workers and commands.
            'deadline' => [
                'request' => env('MSAB_DEADLINE_REQUEST', 0.3),
                'worker' => env('MSAB_DEADLINE_WORKER', 2.0),
            ],

            // For the transport "log"; null: the default channel.
            'log_channel' => env('MSAB_LOG_CHANNEL'),
        ],

    ],

];
