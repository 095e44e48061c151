"""What the OET costs, measured against bare Tango and bare HTTP streaming on the same machine, in the same run."""
