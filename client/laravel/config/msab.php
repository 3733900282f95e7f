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
    | that are one user, and that are one room of the id alone: patterns with one
    | placeholder, which is the id. Another private or
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

            // Of one of the relay's auth.api_keys, which are NAME:KEY or NAME:KEY:RIGHTS, the KEY.
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

    /*
    |--------------------------------------------------------------------------
    | Outbox
    |--------------------------------------------------------------------------
    |
    | For the delivery "outbox". Publish the tables with
    |   php artisan vendor:publish --tag=msab-migrations
    | keep `php artisan msab:outbox work` running, and schedule
    |   Schedule::command('msab:outbox prune')->hourly();
    |
    */

    'outbox' => [
        // A connection of config/database.php: the one that the application's own transactions are
        // on, or row and change don't share one. null: the default.
        'database' => env('MSAB_OUTBOX_DATABASE'),
        'table' => 'msab_outbox',

        // Rows in one call.
        'batch' => 256,

        // Seconds after which the lanes of a worker that is gone are taken over; at least 3.
        'lease' => env('MSAB_OUTBOX_LEASE', 15),

        // What msab:outbox prune leaves.
        'keep_sent_hours' => 24,
        'keep_dead_days' => 14,
    ],

    /*
    |--------------------------------------------------------------------------
    | Tokens
    |--------------------------------------------------------------------------
    |
    | What users connect to the relay with: Msab::tokenFor($user), and a route that
    | gives the signed-in user a fresh one.
    |
    */

    'token' => [
        // One of the relay's auth.jwt_secrets, 32 bytes or more (of several, separated by commas,
        // the first signs); or a private key in PEM, or its file, whose public key is in the relay's
        // auth.jwt_keys_file: RSA (RS256) or P-256 (ES256).
        'secret' => env('MSAB_JWT_SECRET'),
        'private_key' => env('MSAB_JWT_PRIVATE_KEY'),

        // Seconds.
        'ttl' => 900,

        // The claim aud: what the relay's auth.audience says, if it says anything. null: none.
        'audience' => 'msab',

        // Attributes of the user that go into the token, and so to everybody in a room with them,
        // where the user has them. The relay has an allow-list of its own (auth.profile_claims).
        // Named otherwise in your model? Let it implement Msab\Laravel\Token\HasRelayProfile.
        'profile' => ['name', 'avatar', 'signature', 'frame_id', 'chat_bubble_id', 'gender', 'country', 'vip_level', 'wealth_xp', 'charm_xp'],

        // POST. null: no route. With the middleware "web" a form token is needed, as for any form;
        // for an API: ['api', 'auth:sanctum'].
        'path' => 'msab/token',
        'middleware' => ['web', 'auth'],
        'throttle' => '30,1',

        // Where the browser finds the relay, given out with the token.
        'url' => env('MSAB_WS_URL', 'ws://127.0.0.1:8080/ws'),
    ],

    /*
    |--------------------------------------------------------------------------
    | Client commands
    |--------------------------------------------------------------------------
    |
    | What clients ask of the relay and the application decides: gifts, and who may
    | join a private room. The relay posts them here (its laravel.webhook_url).
    |
    */

    'webhook' => [
        // POST. null: no route.
        'path' => 'msab/webhook',

        // The relay's laravel.webhook_secrets: "whsec_" and base64 of 24 to 64 bytes. Several,
        // separated by commas, while they rotate.
        'secrets' => env('MSAB_WEBHOOK_SECRETS'),

        // A class that implements Msab\Laravel\Webhook\GiftHandler. null: gifts are rejected.
        'gifts' => null,

        // A class that implements Msab\Laravel\Webhook\JoinHandler. null: routes/channels.php decides.
        'joins' => null,

        // The guard whose users the relay knows. null: the default.
        'guard' => null,

        // A connection of config/database.php: the one that gifts are charged on. null: the default.
        'database' => env('MSAB_WEBHOOK_DATABASE'),
        'receipts' => 'msab_receipts',

        // Milliseconds: commands of a batch that aren't begun by then are left to the relay's next
        // attempt. It gives up 5 s after a client asked.
        'budget_ms' => 3000,
    ],

];
