<?php

// The application's .env, as code, because each run of the tests has a directory, a database and a
// relay of its own. What the environment already says wins.

$work = getenv('MSAB_TEST_WORK') ?: sys_get_temp_dir().'/msab-laravel-app';
foreach (['storage/framework/views', 'storage/framework/cache', 'storage/framework/sessions', 'storage/logs', 'cache'] as $directory) {
    if (! is_dir("$work/$directory")) {
        @mkdir("$work/$directory", 0777, true);
    }
}

$defaults = [
    'MSAB_TEST_WORK' => $work,
    'APP_NAME' => 'Example',
    'APP_ENV' => 'testing',
    'APP_KEY' => 'base64:'.base64_encode(str_repeat('k', 32)),
    'APP_DEBUG' => 'true',
    'APP_URL' => 'http://127.0.0.1',
    'APP_PACKAGES_CACHE' => "$work/cache/packages.php",
    'APP_SERVICES_CACHE' => "$work/cache/services.php",
    'APP_CONFIG_CACHE' => "$work/cache/config.php",
    'APP_ROUTES_CACHE' => "$work/cache/routes.php",
    'APP_EVENTS_CACHE' => "$work/cache/events.php",
    'COMPOSER_VENDOR_DIR' => (string) getenv('MSAB_TEST_VENDOR'),
    'LOG_CHANNEL' => 'single',
    'DB_CONNECTION' => 'sqlite',
    'DB_DATABASE' => "$work/database.sqlite",
    'CACHE_STORE' => 'array',
    'SESSION_DRIVER' => 'array',
    'QUEUE_CONNECTION' => 'database',
    'BROADCAST_CONNECTION' => 'msab',
    'MSAB_API_KEY' => 'test-key',
];
foreach ($defaults as $name => $value) {
    if (getenv($name) === false) {
        putenv("$name=$value");
        $_ENV[$name] = $_SERVER[$name] = $value;
    }
}
if (getenv('DB_CONNECTION') === 'sqlite' && getenv('DB_DATABASE') !== ':memory:' && ! is_file((string) getenv('DB_DATABASE'))) {
    touch((string) getenv('DB_DATABASE'));
}

return $work;
