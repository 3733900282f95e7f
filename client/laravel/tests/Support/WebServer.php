<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

use RuntimeException;

/** The test application behind PHP's own web server, with several workers, in a process group of its own. */
final class WebServer
{
    /** @var resource|null */
    private $process;

    private int $group = 0;

    public function __construct(private readonly int $port, private readonly int $workers = 4) {}

    public function url(string $path = '/'): string
    {
        return "http://127.0.0.1:{$this->port}{$path}";
    }

    /** @param  array<string, string>  $environment  beside this process's */
    public function start(array $environment = []): void
    {
        $public = dirname(__DIR__).'/app/public';
        $process = proc_open(
            // It ends with us, however we end, and its workers with it: they are forks, to which the kernel's word on our
            // death does not go, so that the shell passes it on to the group.
            [
                'setpriv', '--pdeathsig', 'TERM', '--', 'setsid', 'bash', '-c', 'trap "kill -KILL 0" TERM; "$@" & wait', 'bash',
                PHP_BINARY, '-S', "127.0.0.1:{$this->port}", '-t', $public, "{$public}/index.php",
            ],
            [['file', '/dev/null', 'r'], ['file', '/dev/null', 'w'], ['file', '/dev/null', 'w']],
            $pipes,
            null,
            $environment + ['PHP_CLI_SERVER_WORKERS' => (string) $this->workers] + getenv(),
        );
        $this->process = $process === false ? throw new RuntimeException('The web server did not start.') : $process;
        $this->group = proc_get_status($process)['pid'];
        Until::true(fn () => @fsockopen('127.0.0.1', $this->port) !== false, 'the web server to listen');
    }

    /** What clients have sent and it hasn't read: while it stands still. */
    public function unreadBytes(): int
    {
        return Ports::unreadBytes($this->port);
    }

    /** To all of its workers. */
    public function signal(int $signal): void
    {
        posix_kill(-$this->group, $signal);
    }

    public function stop(): void
    {
        if ($this->process !== null) {
            $this->signal(SIGKILL);
            proc_close($this->process);
            $this->process = null;
        }
    }

    public function __destruct()
    {
        $this->stop();
    }
}
