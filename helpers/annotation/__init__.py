"""What a photograph shows: joints (OpenPose), clothing classes (SCHP), body surface (DensePose); one file a network."""
