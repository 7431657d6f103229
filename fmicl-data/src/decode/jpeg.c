/* What jpeg.rs calls: libjpeg, with its errors as return values. libjpeg reports an error by a function that must not
 * return; the longjmp stays between the functions of this file and libjpeg's. */

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

typedef struct {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf caller;
    /* The decoder asked for more bytes than there are. */
    int truncated;
    char message[JMSG_LENGTH_MAX];
} reader;

static void fail(j_common_ptr info) {
    reader *self = (reader *)info->client_data;
    info->err->format_message(info, self->message);
    longjmp(self->caller, 1);
}

/* Each scan of a progressive file goes over the whole image, and takes a few bytes: without a bound a small file takes
 * hours. No encoder writes a tenth of so many. */
enum { MOST_SCANS = 500 };

/* The coefficients of a progressive file are all held at once, 2 bytes each. A block of 64 takes a bit in some scan, which is a
 * byte of the file for 1,024 of them; a file of arithmetic coding may take less, and PIL reads what is smaller than this anyway. */
enum { MEMORY_A_BYTE = 4096 };
static const long MEMORY = 64L << 20;

static void watch(j_common_ptr info) {
    reader *self = (reader *)info->client_data;
    if (self->info.input_scan_number <= MOST_SCANS) return;
    snprintf(self->message, sizeof self->message, "there are more than %d scans", MOST_SCANS);
    longjmp(self->caller, 1);
}

/* Warnings, which PIL ignores too. */
static void ignore(j_common_ptr info, int level) {
    (void)info;
    (void)level;
}

static void nothing(j_decompress_ptr info) { (void)info; }

static boolean no_more(j_decompress_ptr info) {
    static const JOCTET end[] = {0xff, JPEG_EOI};
    ((reader *)info->client_data)->truncated = 1;
    info->src->next_input_byte = end;
    info->src->bytes_in_buffer = sizeof end;
    return TRUE;
}

static void skip(j_decompress_ptr info, long count) {
    struct jpeg_source_mgr *source = info->src;
    if (count <= 0) return;
    if ((size_t)count > source->bytes_in_buffer) {
        no_more(info);
        return;
    }
    source->next_input_byte += count;
    source->bytes_in_buffer -= (size_t)count;
}

static void destroy(reader *self) {
    /* It frees memory and cannot fail. */
    jpeg_destroy_decompress(&self->info);
    free(self);
}

static int create(reader *self) {
    if (setjmp(self->caller)) return 0;
    jpeg_create_decompress(&self->info);
    self->info.src = &self->source;
    self->info.progress = &self->progress;
    return 1;
}

/* Makes a reader of `bytes`, which must outlive it. NULL where there is no memory for one. */
reader *fmicl_jpeg_open(const uint8_t *bytes, size_t length) {
    reader *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->info.err = jpeg_std_error(&self->errors);
    self->errors.error_exit = fail;
    self->errors.emit_message = ignore;
    self->info.client_data = self;
    self->source.init_source = nothing;
    self->source.fill_input_buffer = no_more;
    self->source.skip_input_data = skip;
    self->source.resync_to_restart = jpeg_resync_to_restart;
    self->source.term_source = nothing;
    self->progress.progress_monitor = watch;
    self->source.next_input_byte = bytes;
    self->source.bytes_in_buffer = length;
    if (create(self)) {
        self->info.mem->max_memory_to_use = MEMORY + MEMORY_A_BYTE * (long)length;
        return self;
    }
    destroy(self);
    return NULL;
}

/* Reads the header: `channels` are those of a pixel that is decoded, 4 of CMYK and 3 of everything else, and `rest` is how
 * many bytes there are from the image's data on. Returns NULL, or what is wrong. */
const char *fmicl_jpeg_header(reader *self, size_t *width, size_t *height, size_t *channels, size_t *rest) {
    if (setjmp(self->caller)) {
        /* In libjpeg's words, a precision is unsupported. */
        if (self->info.data_precision > 8)
            snprintf(self->message, sizeof self->message, "its samples have %d bits; save it with 8",
                     self->info.data_precision);
        return self->message;
    }
    jpeg_read_header(&self->info, TRUE);
    switch (self->info.jpeg_color_space) {
        case JCS_GRAYSCALE:
        case JCS_YCbCr:
        case JCS_RGB:
            self->info.out_color_space = JCS_RGB;
            *channels = 3;
            break;
        case JCS_CMYK:
        case JCS_YCCK:
            self->info.out_color_space = JCS_CMYK;
            *channels = 4;
            break;
        default:
            snprintf(self->message, sizeof self->message, "its pixels have %d samples; gray, RGB and CMYK are read",
                     self->info.num_components);
            return self->message;
    }
    *width = self->info.image_width;
    *height = self->info.image_height;
    *rest = self->truncated ? 0 : self->source.bytes_in_buffer;
    return NULL;
}

/* What the colours of three samples are, where a file around this one says so: RGB or YCbCr. Otherwise libjpeg tells by the
 * names of the components. */
void fmicl_jpeg_colors(reader *self, int is_rgb) {
    if (self->info.num_components == 3) self->info.jpeg_color_space = is_rgb ? JCS_RGB : JCS_YCbCr;
}

/* Begins to decode the columns from `left` on, `width` of them, and perhaps some on either side: it writes to both
 * which. Returns NULL, or what is wrong. */
const char *fmicl_jpeg_start(reader *self, size_t *left, size_t *width) {
    if (setjmp(self->caller)) {
        /* In libjpeg's words, it has no file to put them into. */
        if (self->errors.msg_code == JERR_NO_BACKING_STORE)
            snprintf(self->message, sizeof self->message, "so few bytes cannot hold its %u x %u pixels",
                     self->info.image_width, self->info.image_height);
        return self->message;
    }
    self->info.dct_method = JDCT_ISLOW;
    self->info.do_fancy_upsampling = TRUE;
    jpeg_start_decompress(&self->info);
    /* Upsampling looks at a neighbour, which must not be the edge that a crop makes. */
    JDIMENSION from = *left > 2 ? *left - 2 : 0;
    JDIMENSION to = *left + *width + 2;
    if (to > self->info.output_width) to = self->info.output_width;
    if (from > 0 || to < self->info.output_width) {
        JDIMENSION count = to - from;
        jpeg_crop_scanline(&self->info, &from, &count);
    }
    *left = from;
    *width = self->info.output_width;
    return NULL;
}

/* Decodes `height` rows from `top` on, each of the width that start gave and of the header's channels, to `out`. Returns NULL,
 * or what is wrong. */
const char *fmicl_jpeg_rows(reader *self, size_t top, size_t height, uint8_t *out) {
    size_t stride = (size_t)self->info.output_width * self->info.output_components;
    if (setjmp(self->caller)) return self->message;
    if (top > 0) jpeg_skip_scanlines(&self->info, (JDIMENSION)top);
    for (size_t done = 0; done < height;) {
        JSAMPROW rows[16];
        JDIMENSION want = 0;
        for (; want < 16 && done + want < height; want++) rows[want] = out + (done + want) * stride;
        JDIMENSION got = jpeg_read_scanlines(&self->info, rows, want);
        if (got == 0) return "there are fewer rows than the header says";
        done += got;
    }
    return self->truncated ? "the file is truncated" : NULL;
}

void fmicl_jpeg_close(reader *self) { destroy(self); }
