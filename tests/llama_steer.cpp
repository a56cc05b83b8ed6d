// Greedy continuation of a prompt by llama.cpp, with a control vector that its own loader reads.
// steer MODEL PROMPT TOKENS [VECTOR SCALE FIRST LAST]
#include <cstdio>
#include <string>
#include <vector>

#include "common.h"
#include "llama.h"

int main(int argc, char ** argv) {
    llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
    llama_backend_init();
    llama_model * model = llama_model_load_from_file(argv[1], llama_model_default_params());
    llama_context_params params = llama_context_default_params();
    params.n_ctx = 256;
    params.n_threads = params.n_threads_batch = 1;
    // As exact as the weights: a cache in half precision would turn near ties.
    params.type_k = params.type_v = GGML_TYPE_F32;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    llama_context * context = model ? llama_init_from_model(model, params) : nullptr;
    if (!context) return 1;
    if (argc > 4) {
        const auto vector = common_control_vector_load({{std::stof(argv[5]), argv[4]}});
        if (vector.n_embd == -1) return 2;
        if (llama_set_adapter_cvec(context, vector.data.data(), vector.data.size(), vector.n_embd,
                                   std::stoi(argv[6]), std::stoi(argv[7]))) return 3;
    }
    const llama_vocab * vocab = llama_model_get_vocab(model);
    const std::string prompt = argv[2];
    std::vector<llama_token> tokens(prompt.size());
    tokens.resize(llama_tokenize(vocab, prompt.c_str(), prompt.size(), tokens.data(), tokens.size(), false, true));
    std::string text;
    for (int step = 0; step < std::stoi(argv[3]); step++) {
        if (llama_decode(context, llama_batch_get_one(tokens.data(), tokens.size()))) return 4;
        const float * logits = llama_get_logits_ith(context, -1);
        llama_token best = 0;
        for (llama_token i = 1; i < llama_vocab_n_tokens(vocab); i++) {
            if (logits[i] > logits[best]) best = i;
        }
        if (llama_vocab_is_eog(vocab, best)) break;
        char piece[256];
        text.append(piece, llama_token_to_piece(vocab, best, piece, sizeof piece, 0, false));
        tokens = {best};
    }
    fwrite(text.data(), 1, text.size(), stdout);
}
