// The thread pool as C: `share` runs a function on shares of its work, on threads that live as long as the
// process. Work is cut into more parts than there are threads, which take them one by one, first those that are
// theirs by position (they have them in their caches), then what others have left: nobody waits for a busy core.
// Not here: which kernels are shared and when (kernel.ts, gemm.ts), compiling and loading (device/native/threads.ts).
import { SHARE } from './share.ts'

/** Options for the pool. */
export const POOL_FLAGS: readonly string[] = ['-O2', '-pthread']

/** The C file with `tstorch_pool`, which gives the address of `share`. */
export const POOL: string = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
${SHARE}
#define MOST_THREADS 256
#define MOST_ARGUMENTS 1024
#define SPIN_NANOSECONDS 200000  // longer than a minor collection; after that a thread sleeps until it is woken
#if defined(__x86_64__) || defined(__i386__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("yield")
#else
#define PAUSE() ((void)0)
#endif

// A flag that one thread waits for, spinning first.
typedef struct {
  atomic_uint signals;
  atomic_int asleep;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
} Bell;

static void ring(Bell *bell) {
  atomic_fetch_add(&bell->signals, 1);
  if (!atomic_load(&bell->asleep)) return;
  pthread_mutex_lock(&bell->mutex);
  pthread_cond_signal(&bell->changed);
  pthread_mutex_unlock(&bell->mutex);
}

static i64 now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000 + t.tv_nsec;
}

// Returns when the bell has been rung since it had 'seen' signals.
static void wait_for(Bell *bell, unsigned seen) {
  for (i64 start = now(); now() - start < SPIN_NANOSECONDS;)
    for (int i = 0; i < 32; i++) {
      if (atomic_load_explicit(&bell->signals, memory_order_acquire) != seen) return;
      PAUSE();
    }
  pthread_mutex_lock(&bell->mutex);
  atomic_store(&bell->asleep, 1);
  while (atomic_load(&bell->signals) == seen) pthread_cond_wait(&bell->changed, &bell->mutex);
  atomic_store(&bell->asleep, 0);
  pthread_mutex_unlock(&bell->mutex);
}

typedef struct { _Alignas(64) Bell bell; } Worker;
typedef struct { _Alignas(64) atomic_long next; } Counter;

// The one job there is. Its fields stand still while OPEN is set or workers are counted in 'present'.
static Part *part;
static const f64 *arguments;
static i64 argument_count, parts, people;
static Counter counters[MOST_THREADS];
static atomic_int status;
#define OPEN 0x10000u
static _Alignas(64) atomic_uint present;
static _Alignas(64) atomic_flag taken = ATOMIC_FLAG_INIT;
static Bell finished;
static Worker workers[MOST_THREADS];
static int started;

// Parts 'of' a thread: from there to where the next one's begin.
static i64 first_of(i64 thread) { return thread * parts / people; }

// A copy of arguments, with which a part does not share its work again.
static f64 *own_copy(f64 *own, const f64 *args, i64 count) {
  own[0] = 1, own[1] = 0;
  return memcpy(own + HEADER, args, count * sizeof(f64));
}

static void work(i64 me) {
  f64 own[HEADER + MOST_ARGUMENTS], *args = own_copy(own, arguments, argument_count);
  for (i64 n = 0; n < people; n++) {
    i64 whose = (me + n) % people, end = first_of(whose + 1), i;
    while ((i = first_of(whose) + atomic_fetch_add(&counters[whose].next, 1)) < end) {
      args[0] = (f64)i / parts, args[1] = (f64)(i + 1) / parts;
      int result = part(args);
      if (result) atomic_store(&status, result);
    }
  }
}

static void *worker(void *index) {
  i64 me = (intptr_t)index;
  Bell *bell = &workers[me].bell;
  for (unsigned seen = 0;;) {
    wait_for(bell, seen);
    seen = atomic_load(&bell->signals);
    unsigned n = atomic_load(&present);
    while (n & OPEN && !atomic_compare_exchange_weak(&present, &n, n + 1)) {}
    if (!(n & OPEN)) continue;  // it was done without this thread
    if (me < people) work(me);
    if (atomic_fetch_sub(&present, 1) == 1) ring(&finished);
  }
  return 0;
}

static void make_bell(Bell *bell) {
  memset(bell, 0, sizeof *bell);
  pthread_mutex_init(&bell->mutex, 0);
  pthread_cond_init(&bell->changed, 0);
}

// A forked child has none of the threads.
static void start_over(void) {
  started = 0;
  atomic_store(&present, 0);
  atomic_flag_clear(&taken);
}

// As many workers as there can be, up to 'wanted'; they get no signals and do not keep the process alive.
static i64 start(i64 wanted) {
  static int prepared;
  if (!prepared) {
    Dl_info self;
    if (dladdr((void *)start, &self)) dlopen(self.dli_fname, RTLD_NOW);  // stays loaded: threads run in it
    pthread_atfork(0, 0, start_over);
    prepared = 1;
  }
  if (started == 0) make_bell(&finished);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (started < wanted && started < MOST_THREADS - 1) {
    pthread_t thread;
    make_bell(&workers[started + 1].bell);
    if (pthread_create(&thread, 0, worker, (void *)(intptr_t)(started + 1))) break;
    pthread_detach(thread);
    started++;
  }
  pthread_sigmask(SIG_SETMASK, &before, 0);
  return started < wanted ? started : wanted;
}

static i32 alone(Part *f, const f64 *args, i64 count) {
  f64 own[HEADER + MOST_ARGUMENTS];
  return f(own_copy(own, args, count));
}

// Runs 'f' on shares of its work. It gets copies of the 'count' arguments, with the share and without this function.
static i32 share(Part *f, const f64 *args, i64 count, i64 number_of_parts, i64 threads) {
  if (number_of_parts < threads) threads = number_of_parts;
  if (threads < 2 || atomic_flag_test_and_set(&taken)) return alone(f, args, count);
  people = 1 + (started < threads - 1 ? start(threads - 1) : threads - 1);
  part = f, arguments = args, argument_count = count, parts = number_of_parts;
  for (i64 i = 0; i < people; i++) atomic_store_explicit(&counters[i].next, 0, memory_order_relaxed);
  atomic_store_explicit(&status, 0, memory_order_relaxed);
  unsigned before = atomic_load(&finished.signals);
  atomic_store(&present, OPEN);
  for (i64 i = 1; i < people; i++) ring(&workers[i].bell);
  work(0);
  if (atomic_fetch_and(&present, ~OPEN) != OPEN) {  // wait for those who are at their last part
    while (atomic_load(&present) != 0) {
      wait_for(&finished, before);
      before = atomic_load(&finished.signals);
    }
  }
  i32 result = atomic_load(&status);
  atomic_flag_clear(&taken);
  return result;
}

uintptr_t tstorch_pool(void) { return (uintptr_t)share; }
`
