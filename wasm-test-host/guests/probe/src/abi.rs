//! The host functions as they are, without an SDK in between: statuses are what a probe wants to see.

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    pub fn proxy_log(level: u32, ptr: *const u8, len: usize) -> u32;
    pub fn proxy_get_log_level(out: *mut u32) -> u32;
    pub fn proxy_get_status(code: *mut u32, ptr: *mut *mut u8, len: *mut usize) -> u32;
    pub fn proxy_set_tick_period_milliseconds(millis: u32) -> u32;
    pub fn proxy_set_effective_context(context: u32) -> u32;
    pub fn proxy_done() -> u32;
    pub fn proxy_call_foreign_function(
        n: *const u8,
        nl: usize,
        a: *const u8,
        al: usize,
        r: *mut *mut u8,
        rl: *mut usize,
    ) -> u32;
    pub fn proxy_get_property(p: *const u8, pl: usize, ptr: *mut *mut u8, len: *mut usize) -> u32;
    pub fn proxy_set_property(p: *const u8, pl: usize, v: *const u8, vl: usize) -> u32;
    pub fn proxy_get_header_map_value(
        map: u32,
        k: *const u8,
        kl: usize,
        ptr: *mut *mut u8,
        len: *mut usize,
    ) -> u32;
    pub fn proxy_add_header_map_value(
        map: u32,
        k: *const u8,
        kl: usize,
        v: *const u8,
        vl: usize,
    ) -> u32;
    pub fn proxy_replace_header_map_value(
        map: u32,
        k: *const u8,
        kl: usize,
        v: *const u8,
        vl: usize,
    ) -> u32;
    pub fn proxy_remove_header_map_value(map: u32, k: *const u8, kl: usize) -> u32;
    pub fn proxy_get_header_map_pairs(map: u32, ptr: *mut *mut u8, len: *mut usize) -> u32;
    pub fn proxy_set_header_map_pairs(map: u32, ptr: *const u8, len: usize) -> u32;
    pub fn proxy_get_header_map_size(map: u32, out: *mut u32) -> u32;
    pub fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        len: usize,
        ptr: *mut *mut u8,
        out: *mut usize,
    ) -> u32;
    pub fn proxy_get_buffer_status(buffer: u32, len: *mut usize, flags: *mut u32) -> u32;
    pub fn proxy_set_buffer_bytes(
        buffer: u32,
        start: usize,
        len: usize,
        d: *const u8,
        dl: usize,
    ) -> u32;
    pub fn proxy_continue_stream(kind: u32) -> u32;
    pub fn proxy_close_stream(kind: u32) -> u32;
    pub fn proxy_send_local_response(
        code: u32,
        d: *const u8,
        dl: usize,
        b: *const u8,
        bl: usize,
        h: *const u8,
        hl: usize,
        grpc: i32,
    ) -> u32;
    pub fn proxy_get_shared_data(
        k: *const u8,
        kl: usize,
        ptr: *mut *mut u8,
        len: *mut usize,
        cas: *mut u32,
    ) -> u32;
    pub fn proxy_set_shared_data(k: *const u8, kl: usize, v: *const u8, vl: usize, cas: u32)
    -> u32;
    pub fn proxy_register_shared_queue(n: *const u8, nl: usize, token: *mut u32) -> u32;
    pub fn proxy_resolve_shared_queue(
        v: *const u8,
        vl: usize,
        n: *const u8,
        nl: usize,
        token: *mut u32,
    ) -> u32;
    pub fn proxy_dequeue_shared_queue(token: u32, ptr: *mut *mut u8, len: *mut usize) -> u32;
    pub fn proxy_enqueue_shared_queue(token: u32, d: *const u8, dl: usize) -> u32;
    pub fn proxy_define_metric(kind: u32, n: *const u8, nl: usize, id: *mut u32) -> u32;
    pub fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    pub fn proxy_record_metric(id: u32, value: u64) -> u32;
    pub fn proxy_get_metric(id: u32, out: *mut u64) -> u32;
    pub fn proxy_http_call(
        u: *const u8,
        ul: usize,
        h: *const u8,
        hl: usize,
        b: *const u8,
        bl: usize,
        t: *const u8,
        tl: usize,
        millis: u32,
        token: *mut u32,
    ) -> u32;
    pub fn proxy_grpc_call(
        c: *const u8,
        cl: usize,
        s: *const u8,
        sl: usize,
        m: *const u8,
        ml: usize,
        h: *const u8,
        hl: usize,
        b: *const u8,
        bl: usize,
        millis: u32,
        token: *mut u32,
    ) -> u32;
    pub fn proxy_grpc_stream(
        c: *const u8,
        cl: usize,
        s: *const u8,
        sl: usize,
        m: *const u8,
        ml: usize,
        h: *const u8,
        hl: usize,
        token: *mut u32,
    ) -> u32;
    pub fn proxy_grpc_send(token: u32, m: *const u8, ml: usize, end: u32) -> u32;
    pub fn proxy_grpc_close(token: u32) -> u32;
    pub fn proxy_grpc_cancel(token: u32) -> u32;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn fd_read(fd: u32, iovs: u32, len: u32, out: u32) -> u32;
    fn fd_seek(fd: u32, offset: i64, whence: u32, out: u32) -> u32;
    fn fd_close(fd: u32) -> u32;
    fn fd_write(fd: u32, iovs: u32, len: u32, out: u32) -> u32;
    fn fd_fdstat_get(fd: u32, out: *mut u8) -> u32;
    fn fd_fdstat_set_flags(fd: u32, flags: u32) -> u32;
    fn fd_prestat_get(fd: u32, out: *mut u8) -> u32;
    fn fd_prestat_dir_name(fd: u32, out: *mut u8, len: u32) -> u32;
    fn path_open(
        fd: u32,
        df: u32,
        p: *const u8,
        pl: u32,
        of: u32,
        rb: u64,
        ri: u64,
        ff: u32,
        out: *mut u8,
    ) -> u32;
    fn clock_time_get(clock: u32, precision: u64, out: *mut u8) -> u32;
    fn random_get(out: *mut u8, len: u32) -> u32;
    fn sched_yield() -> u32;
    fn args_sizes_get(count: *mut u8, size: *mut u8) -> u32;
}

/// What the WASI functions answer, one after the other.
pub fn wasi() -> String {
    let mut out = vec![0u8; 70_000];
    let (room, other) = out.split_at_mut(66_000);
    let p = room.as_mut_ptr();
    let answers = unsafe {
        [
            ("fd_read", fd_read(0, 0, 0, 0)),
            ("fd_seek", fd_seek(1, 0, 0, 0)),
            ("fd_close", fd_close(7)),
            ("fd_write to 7", fd_write(7, 0, 0, 0)),
            ("fd_write bad pointer", fd_write(1, u32::MAX - 7, 1, 0)),
            ("fd_fdstat_get 1", fd_fdstat_get(1, p)),
            ("fd_fdstat_get 3", fd_fdstat_get(3, p)),
            ("fd_fdstat_set_flags 1", fd_fdstat_set_flags(1, 0)),
            ("fd_fdstat_set_flags 3", fd_fdstat_set_flags(3, 0)),
            ("fd_prestat_get 3", fd_prestat_get(3, p)),
            ("fd_prestat_dir_name 3", fd_prestat_dir_name(3, p, 8)),
            (
                "path_open",
                path_open(3, 0, b"x".as_ptr(), 1, 0, 0, 0, 0, p),
            ),
            ("clock 0", clock_time_get(0, 0, p)),
            ("clock 1", clock_time_get(1, 0, p)),
            ("clock 2", clock_time_get(2, 0, p)),
            ("random 65536", random_get(p, 65_536)),
            ("random 65537", random_get(p, 65_537)),
            ("sched_yield", sched_yield()),
            ("args_sizes_get", args_sizes_get(p, other.as_mut_ptr())),
        ]
    };
    answers
        .map(|(name, errno)| format!("{name}={errno}"))
        .join(" ")
}

/// A call that hands bytes back: its status, and the bytes if it wrote an address.
pub fn taking(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> (u32, Option<Vec<u8>>) {
    let (mut ptr, mut len) = (std::ptr::null_mut(), 0);
    let status = call(&mut ptr, &mut len);
    // The host got the memory from `proxy_on_memory_allocate` below, which gives a `Vec` of exactly that capacity.
    let bytes = (!ptr.is_null()).then(|| unsafe { Vec::from_raw_parts(ptr, len, len) });
    (status, bytes)
}

/// Header pairs in the ABI's byte form.
pub fn pairs(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut out = (pairs.len() as u32).to_le_bytes().to_vec();
    for (name, value) in pairs {
        out.extend_from_slice(&(name.len() as u32).to_le_bytes());
        out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    }
    for (name, value) in pairs {
        for text in [name, value] {
            out.extend_from_slice(text.as_bytes());
            out.push(0);
        }
    }
    out
}

/// Pairs from their byte form, as `name=[value]`, one after the other.
pub fn show_pairs(bytes: &[u8]) -> String {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let mut at = 4 + 8 * word(0);
    let mut shown = String::new();
    for pair in 0..word(0) {
        let (name, value) = (word(4 + 8 * pair), word(8 + 8 * pair));
        shown += &format!(
            "{}=[{}] ",
            bytes[at..at + name].escape_ascii(),
            bytes[at + name + 1..at + name + 1 + value].escape_ascii()
        );
        at += name + value + 2;
    }
    shown.trim_end().to_owned()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    let mut bytes = std::mem::ManuallyDrop::new(Vec::<u8>::with_capacity(size));
    bytes.as_mut_ptr()
}
