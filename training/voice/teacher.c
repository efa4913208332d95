/* What flite's voice rms means to say, before it becomes sound: phones with the times of their three states, and the
 * exact tracks (pitch, mel cepstra after smoothing, strengths of the excitation's bands) that its own filter is fed.
 *
 *     gcc -O2 -o teacher teacher.c -lflite_cmu_us_rms -lflite_usenglish -lflite_cmulex -lflite -lm
 *     teacher PREFIX [wave] < sentences.txt
 *
 * PREFIX.jsonl gets a line per sentence, PREFIX.f32 its frames one after the other (31 numbers each), PREFIX.s16 the
 * sound where `wave` is asked for, PREFIX.voice.json what the filter is set to. */
#include <stdio.h>
#include <string.h>
#include <flite/flite.h>
#include <flite/cst_cg.h>

cst_voice *register_cmu_us_rms(const char *path);

static void print_settings(const char *prefix, const cst_cg_db *db) {
    char path[1024];
    snprintf(path, sizeof path, "%s.voice.json", prefix);
    FILE *out = fopen(path, "w");
    fprintf(out, "{\"alpha\": %g, \"beta\": %g, \"gain\": %g, \"advance\": %g, \"bands\": [", db->mlsa_alpha, db->mlsa_beta,
            db->gain, db->frame_advance);
    for (int band = 0; band < db->ME_num; band++) {
        fprintf(out, "%s[", band ? ", " : "");
        for (int tap = 0; tap < db->ME_order; tap++) fprintf(out, "%s%g", tap ? ", " : "", db->me_h[band][tap]);
        fprintf(out, "]");
    }
    fprintf(out, "]}\n");
    fclose(out);
}

static void print_string(FILE *out, const char *text) {
    fputc('"', out);
    for (; text && *text; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', out);
        if ((unsigned char)*text >= 32) fputc(*text, out);
    }
    fputc('"', out);
}

static void print_segments(FILE *out, cst_utterance *utt) {
    for (cst_item *seg = utt_rel_head(utt, "Segment"); seg; seg = item_next(seg)) {
        cst_item *syllable = item_parent(item_as(seg, "SylStructure"));
        cst_item *word = item_parent(syllable), *token = item_parent(item_as(word, "Token"));
        int last = word && !item_next(item_as(word, "Token"));
        fprintf(out, "%s[\"%s\", [", seg == utt_rel_head(utt, "Segment") ? "" : ", ", item_feat_string(seg, "name"));
        cst_item *states = item_as(seg, "segstate");
        int first = 1;
        for (cst_item *state = item_daughter(states); state; state = item_next(state), first = 0)
            fprintf(out, "%s%.5f", first ? "" : ", ", item_feat_float(state, "end"));
        fprintf(out, "], ");
        print_string(out, word ? item_feat_string(word, "name") : "");
        fprintf(out, ", %d, ", word ? (item_prev(item_as(seg, "SylStructure")) || item_prev(syllable) ? 0 : 1) : 0);
        fprintf(out, "%s, ", syllable ? ffeature_string(syllable, "stress") : "0");
        print_string(out, token && last && item_feat_present(token, "punc") ? item_feat_string(token, "punc") : "");
        fprintf(out, "]");
    }
}

int main(int argc, char **argv) {
    char line[8192], path[1024];
    int wave = argc > 2;
    flite_init();
    cst_voice *voice = register_cmu_us_rms(NULL);
    snprintf(path, sizeof path, "%s.jsonl", argv[1]);
    FILE *index = fopen(path, "w");
    snprintf(path, sizeof path, "%s.f32", argv[1]);
    FILE *frames = fopen(path, "wb");
    snprintf(path, sizeof path, "%s.s16", argv[1]);
    FILE *sound = wave ? fopen(path, "wb") : NULL;
    long begin = 0, sample = 0;
    int told = 0;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        cst_utterance *utt = flite_synth_text(line, voice);
        cst_wave *made = utt ? utt_wave(utt) : NULL;
        if (!made) continue;
        cst_cg_db *db = val_cg_db(utt_feat_val(utt, "cg_db"));
        if (!told++) print_settings(argv[1], db);
        cst_track *raw = val_track(utt_feat_val(utt, "param_track"));
        cst_track *bands = val_track(utt_feat_val(utt, "str_track"));
        cst_track *smooth = mlpg(raw, db);
        fprintf(index, "{\"text\": ");
        print_string(index, line);
        fprintf(index, ", \"begin\": %ld, \"frames\": %d, \"width\": %d, \"sample\": %ld, \"samples\": %d, \"phones\": [", begin,
                smooth->num_frames, smooth->num_channels + bands->num_channels, sample, made->num_samples);
        print_segments(index, utt);
        fprintf(index, "]}\n");
        for (int at = 0; at < smooth->num_frames; at++) {
            fwrite(smooth->frames[at], sizeof(float), smooth->num_channels, frames);
            fwrite(bands->frames[at], sizeof(float), bands->num_channels, frames);
        }
        begin += smooth->num_frames;
        if (sound) {
            fwrite(made->samples, sizeof(short), made->num_samples, sound);
            sample += made->num_samples;
        }
        delete_track(smooth);
        delete_utterance(utt);
    }
    fclose(index), fclose(frames);
    if (sound) fclose(sound);
    return 0;
}
