<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

use PDO;
use PDOException;
use RuntimeException;

/**
 * A database server of the test run's own, in a directory of its own, reached by a Unix socket. Started when the first
 * test asks for it, stopped when the process ends.
 */
abstract class DatabaseServer
{
    private const START_SECONDS = 60;

    /** @var array<class-string, static> */
    private static array $running = [];

    /** @var resource|null */
    private $process;

    private function __construct(protected readonly string $directory) {}

    public static function get(): static
    {
        if (! isset(self::$running[static::class])) {
            $directory = sys_get_temp_dir().'/msab-'.strtolower((string) preg_replace('/^.*\\\\/', '', static::class)).'-'.getmypid();
            mkdir($directory, 0755);
            $server = new static($directory);
            register_shutdown_function($server->stop(...));
            $server->start();
            self::$running[static::class] = $server;
        }

        /** @var static */
        return self::$running[static::class];
    }

    /** @return array<string, mixed> a connection of Laravel's config/database.php, to an empty database */
    abstract public function connection(): array;

    abstract protected function initialise(): void;

    /** @return list<string> a command that stays in the foreground */
    abstract protected function command(): array;

    /** What ends it without a word to its clients. */
    protected function stopSignal(): int
    {
        return SIGKILL;
    }

    abstract protected function dsn(): string;

    abstract protected function user(): string;

    protected function open(): PDO
    {
        return new PDO($this->dsn(), $this->user(), '', [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
    }

    /** @param  list<string>  $command */
    protected function execute(array $command): void
    {
        $log = "{$this->directory}/setup.log";
        $process = proc_open($command, [['file', '/dev/null', 'r'], ['file', $log, 'a'], ['file', $log, 'a']], $pipes, $this->directory);
        if ($process === false || proc_close($process) !== 0) {
            throw new RuntimeException(implode(' ', $command)." failed:\n".file_get_contents($log));
        }
    }

    /** Whether this process is root's, as which a database server doesn't run. */
    protected static function isRoot(): bool
    {
        return posix_geteuid() === 0;
    }

    private function start(): void
    {
        $this->initialise();
        $log = "{$this->directory}/server.log";
        // It ends with us, however we end.
        $process = proc_open(['setpriv', '--pdeathsig', 'KILL', '--', ...$this->command()], [['file', '/dev/null', 'r'], ['file', $log, 'a'], ['file', $log, 'a']], $pipes, $this->directory);
        $this->process = $process === false ? throw new RuntimeException('The server did not start.') : $process;
        $end = hrtime(true) + self::START_SECONDS * 1_000_000_000;
        while (true) {
            try {
                $this->open();

                return;
            } catch (PDOException $error) {
                if (hrtime(true) > $end || ! proc_get_status($this->process)['running']) {
                    throw new RuntimeException("The server does not answer: {$error->getMessage()}\n".file_get_contents($log));
                }
                usleep(50_000);
            }
        }
    }

    private function stop(): void
    {
        if ($this->process !== null) {
            proc_terminate($this->process, $this->stopSignal());
            proc_close($this->process);
            $this->process = null;
        }
        exec('rm -rf '.escapeshellarg($this->directory));
    }
}
