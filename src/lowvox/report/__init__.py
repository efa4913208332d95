"""What people read of a job: transcripts and the memory table. One file per form; none of them does any work itself."""
