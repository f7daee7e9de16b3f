// The native limit: one prompt read and n tokens drawn with libllama.so alone, timed as the worker times itself.
//
// Usage: native_loop MODEL PROMPT_FILE TOKENS THREADS CONTEXT SEED
// Prints one JSON line. Model, context and sampler parameters are those of playground/engines/llama.
#include "llama.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 512, TEXT_BYTES = 1 << 20, PIECE_BYTES = 256 };

static double now_s(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void stop(const char *why) {
    fprintf(stderr, "native_loop: %s\n", why);
    exit(1);
}

static void ignore_log(enum ggml_log_level level, const char *text, void *data) {
    (void)level;
    (void)text;
    (void)data;
}

static struct llama_model *load(const char *path) {
    struct llama_model_params params = llama_model_default_params();
    params.n_gpu_layers = 0;
    params.load_mode = LLAMA_LOAD_MODE_MMAP;
    struct llama_model *model = llama_model_load_from_file(path, params);
    if (!model) stop("the model cannot be loaded");
    return model;
}

static struct llama_context *context(struct llama_model *model, int threads, int size) {
    struct llama_context_params params = llama_context_default_params();
    params.n_ctx = (uint32_t)size;
    params.n_batch = params.n_ubatch = BATCH;
    params.n_threads = params.n_threads_batch = threads;
    params.n_seq_max = params.n_outputs_max = 1;
    params.kv_unified = true;
    params.op_offload = false;
    params.no_perf = true;
    params.swa_full = false;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_AUTO;
    params.type_k = params.type_v = GGML_TYPE_F16;
    struct llama_context *made = llama_init_from_model(model, params);
    if (!made) stop("no context");
    return made;
}

static struct llama_sampler *sampler(uint32_t seed) {
    struct llama_sampler *chain = llama_sampler_chain_init(llama_sampler_chain_default_params());
    llama_sampler_chain_add(chain, llama_sampler_init_top_k(40));
    llama_sampler_chain_add(chain, llama_sampler_init_top_p(0.95f, 1));
    llama_sampler_chain_add(chain, llama_sampler_init_min_p(0.05f, 1));
    llama_sampler_chain_add(chain, llama_sampler_init_temp(0.7f));
    llama_sampler_chain_add(chain, llama_sampler_init_dist(seed));
    return chain;
}

static int prompt(const struct llama_vocab *vocab, const char *path, llama_token *tokens, int room) {
    static char text[TEXT_BYTES];
    FILE *file = fopen(path, "rb");
    if (!file) stop("no prompt file");
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    int count = llama_tokenize(vocab, text, (int)length, tokens, room, true, false);
    if (count <= 0) stop("the prompt does not fit");
    return count;
}

static void evaluate(struct llama_context *ctx, llama_token *tokens, int count) {
    if (llama_decode(ctx, llama_batch_get_one(tokens, count))) stop("llama_decode failed");
}

int main(int argc, char **argv) {
    if (argc != 7) stop("usage: native_loop MODEL PROMPT_FILE TOKENS THREADS CONTEXT SEED");
    int wanted = atoi(argv[3]), threads = atoi(argv[4]), size = atoi(argv[5]);
    llama_log_set(ignore_log, NULL);
    llama_backend_init();
    struct llama_model *model = load(argv[1]);
    struct llama_context *ctx = context(model, threads, size);
    struct llama_sampler *chain = sampler((uint32_t)strtoul(argv[6], NULL, 10));
    const struct llama_vocab *vocab = llama_model_get_vocab(model);
    llama_token *tokens = malloc(sizeof *tokens * (size_t)size);
    if (!tokens) stop("out of memory");
    int count = prompt(vocab, argv[2], tokens, size - wanted);

    double asked = now_s(CLOCK_MONOTONIC);
    for (int at = 0; at < count; at += BATCH) {
        evaluate(ctx, tokens + at, count - at < BATCH ? count - at : BATCH);
    }
    llama_synchronize(ctx);
    llama_token token = llama_sampler_sample(chain, ctx, -1);
    double first = now_s(CLOCK_MONOTONIC), first_cpu = now_s(CLOCK_PROCESS_CPUTIME_ID);
    long bytes = 0;
    int ends = 0;
    char piece[PIECE_BYTES];
    for (int drawn = 1; drawn < wanted; drawn++) {
        ends += llama_vocab_is_eog(vocab, token);  // counted, never obeyed: every run draws the same number
        bytes += llama_token_to_piece(vocab, token, piece, sizeof piece, 0, false);
        evaluate(ctx, &token, 1);
        token = llama_sampler_sample(chain, ctx, -1);
    }
    double last = now_s(CLOCK_MONOTONIC), last_cpu = now_s(CLOCK_PROCESS_CPUTIME_ID);
    printf("{\"prompt_tokens\": %d, \"prompt_s\": %.6f, \"tokens\": %d, \"decode_s\": %.6f, \"decode_cpu_s\": %.6f, "
           "\"bytes\": %ld, \"ends\": %d}\n",
           count, first - asked, wanted, last - first, last_cpu - first_cpu, bytes, ends);
    free(tokens);
    llama_sampler_free(chain);
    llama_free(ctx);
    llama_model_free(model);
    return 0;
}
