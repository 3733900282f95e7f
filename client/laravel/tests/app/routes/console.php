<?php

use Illuminate\Support\Facades\Artisan;
use Illuminate\Support\Facades\Process;
use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Facades\Msab;

/** Emits once, and says by which way and how it went. */
$emit = function (string $who): string {
    $result = Msab::toUser(42)->emitNow(new BalanceUpdated(coins: '1'));

    return $who.' '.Msab::connection()->transport()->name().' '.($result->duplicate ? 'duplicate' : 'accepted');
};

Artisan::command('example:process', function () use ($emit) {
    $this->line($emit('first'));
    for ($i = 0; $i < 20; $i++) {
        if (trim(Process::run('echo hello')->output()) !== 'hello') {
            throw new RuntimeException('the process said nothing');
        }
    }
    $this->line($emit('second'));
});

// As Octane's Swoole does with its workers: PHP goes on in a fork of a process that has used gRPC (or
// could have).
Artisan::command('example:fork {--warm}', function () use ($emit) {
    if ($this->option('warm')) {
        $this->line($emit('parent'));
    }
    for ($i = 0; $i < 3; $i++) {
        $pid = pcntl_fork();
        if ($pid === 0) {
            fwrite(STDOUT, $emit('child')."\n");
            fwrite(STDOUT, $emit('child')."\n");
            // Not exit(): with the extension loaded, a fork of PHP's command line never comes out of
            // PHP's own shutdown, whether it has used gRPC or not.
            posix_kill((int) getmypid(), SIGKILL);
        }
        pcntl_waitpid($pid, $status);
        if (! pcntl_wifsignaled($status) || pcntl_wtermsig($status) !== SIGKILL) {
            throw new RuntimeException("the child ended with $status");
        }
    }
    $this->line($emit('parent'));
});
